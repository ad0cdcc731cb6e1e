import { optionalJson, optionalText, requiredJson } from '../checkpoint/json-files.ts'
import { readLlamaConfig } from '../checkpoint/llama-config.ts'
import type { PromptSources } from './compile-prompts.ts'

/**
 * What decides a checkpoint's prompts, read without its weights: they may not be there yet.
 * @throws ToolError CHECKPOINT_UNUSABLE naming what is missing or not supported
 */
export async function readPromptSources(folder: string): Promise<PromptSources> {
  const config = readLlamaConfig(await requiredJson(folder, 'config.json'))
  return {
    config,
    tokenizerJson: (await optionalText(folder, 'tokenizer.json')) ?? '',
    tokenizerConfig: (await optionalJson(folder, 'tokenizer_config.json')) ?? {},
    training: await optionalJson(folder, 'training.json'),
  }
}
