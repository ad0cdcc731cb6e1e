import { optionalJson, requiredJson } from '../checkpoint/json-files.ts'
import { readLlamaConfig } from '../checkpoint/llama-config.ts'
import { readTokenizer, type TokenizerFiles, type TokenizerNeeds } from '../tokenizer/read-tokenizer.ts'
import type { PromptSources } from './compile-prompts.ts'

/**
 * What decides a checkpoint's prompts, read without its weights: they may not be there yet.
 * @param tokenizer what is known of its tokenizer beforehand
 * @throws ToolError CHECKPOINT_UNUSABLE naming what is missing or not supported
 */
export async function readPromptSources(
  folder: string,
  tokenizer?: TokenizerNeeds,
): Promise<PromptSources & TokenizerFiles> {
  const config = readLlamaConfig(await requiredJson(folder, 'config.json'))
  const training = await optionalJson(folder, 'training.json')
  return { config, ...(await readTokenizer(folder, tokenizer)), training }
}
