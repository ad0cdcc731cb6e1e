import { ToolError } from '../../../cli/tool-error.ts'
import type { Prompt } from '../../../encoder/encoder.ts'
import type { CardPrompt } from '../../../model/card.ts'
import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { checkRows, checkTokenIds } from '../tokenizer/check-ids.ts'
import { tokenIds } from '../tokenizer/token-ids.ts'
import { checkExpectedBodies, checkExpectedPrompts, type ExpectedIds } from './expected-prompts.ts'
import { beginningOfSequence } from './special-tokens.ts'
import type { Template, TemplatePrompt } from './templates.ts'
import { checkTrainedPrompts } from './trained-prompts.ts'

export interface CompiledPrompts {
  kind: 'encoder'
  prompts: Record<Prompt, CardPrompt>
  /** Positions pooled: the special tokens of a suffix. */
  pooledTokens: number
}

/** What of a checkpoint decides its prompts; no weights. */
export type PromptSources = Pick<Checkpoint, 'config' | 'tokenizerJson' | 'tokenizerConfig' | 'training'>

/**
 * Turns a template into ids, as the method asks: prefix, body and suffix words are tokenised apart, exactly as
 * written, and special tokens are looked up by name. Tokenising the joined string would give other ids.
 *
 * @param maxBodyTokens wanted; default the template's, cut to what the model's positions hold
 * @param expected the ids that must come out, where they are known
 * @throws ToolError CHECKPOINT_UNUSABLE when the tokenizer lacks a special token or gives other ids than expected,
 *   positions are too few, or the checkpoint says it was trained with other prompts
 */
export async function compilePrompts(
  checkpoint: PromptSources,
  template: Template,
  maxBodyTokens?: number,
  expected?: ExpectedIds,
): Promise<CompiledPrompts> {
  checkTrainedPrompts(checkpoint.training, template)
  checkTokenIds(checkpoint.tokenizerJson, checkpoint.config.vocabularySize)
  const ids = tokenIds(checkpoint.tokenizerJson)
  const bos = beginningOfSequence(checkpoint, ids)
  const tokenizer = BodyTokenizer.load(checkpoint.tokenizerJson)
  // Some pre-tokenizers make a space of no text at all.
  const encode = async (text: string) => (text === '' ? [] : (await tokenizer.encode([text]))[0]!)
  const compile = async (prompt: TemplatePrompt) => {
    const [prefix, words] = await Promise.all([prompt.prefix, prompt.words].map(encode))
    const specials = prompt.specials.map((token) => requiredId(ids, token))
    return {
      prefix: (bos?.token ?? '') + prompt.prefix,
      suffix: prompt.words + prompt.specials.join(''),
      prefixIds: [...(bos ? [bos.id] : []), ...prefix!],
      suffixIds: [...words!, ...specials],
    }
  }
  const ebar = await compile(template.prompts.ebar)
  const ebae = await compile(template.prompts.ebae)
  const used = [ebar, ebae].flatMap(({ prefixIds, suffixIds }) => [...prefixIds, ...suffixIds])
  checkRows(used, checkpoint.config.vocabularySize)
  if (expected?.prompts) checkExpectedPrompts({ ebae, ebar }, template, expected.prompts)
  await checkExpectedBodies(tokenizer, expected?.bodies ?? [])
  const wrapper = Math.max(...[ebar, ebae].map((prompt) => prompt.prefixIds.length + prompt.suffixIds.length))
  const limit = bodyLimit(checkpoint.config.positionsMax - wrapper, template.maxBodyTokens, maxBodyTokens)
  return {
    kind: 'encoder',
    prompts: { ebar: { ...ebar, maxBodyTokens: limit }, ebae: { ...ebae, maxBodyTokens: limit } },
    pooledTokens: template.prompts.ebae.specials.length,
  }
}

function requiredId(ids: ReadonlyMap<string, number>, token: string): number {
  const id = ids.get(token)
  if (id === undefined) {
    const message = `tokenizer.json has no token ${token}, which the template ends with. Choose the template that the checkpoint was trained with (--template).`
    throw new ToolError('CHECKPOINT_UNUSABLE', message, { token })
  }
  return id
}

function bodyLimit(room: number, usual: number, wanted?: number): number {
  const limit = wanted ?? Math.min(usual, room)
  if (limit < 1 || limit > room) {
    const message = `max_position_embeddings leaves room for ${room} tokens of text beside the prompt, and ${limit} were asked for (--max-body-tokens).`
    throw new ToolError('CHECKPOINT_UNUSABLE', message, { key: 'max_position_embeddings' })
  }
  return limit
}
