import type { Card } from './card.ts'

/** What a text is embedded for; encoder.ts says what each prompt is good for. */
export type Prompt = 'ebar' | 'ebae'

/** One row of a batch before padding. */
export interface RowTokens {
  ids: Uint32Array
  /** Half-open token range of each prompt suffix, flat: [start, end] or, jointly, [start, end, start, end]. */
  spans: number[]
}

/** The order of suffixes in a row, and so of its embeddings: in the joint pass SELF (EBAE) comes before NEXT (EBAR). */
const ROW_ORDER: readonly Prompt[] = ['ebae', 'ebar']

/**
 * The prompts in the order in which they stand in a row, whatever order they were asked for in.
 *
 * @throws TypeError for no prompt, an unknown one or one named twice: a mistake of the calling code
 */
export function inRowOrder(prompts: readonly Prompt[]): Prompt[] {
  const ordered = ROW_ORDER.filter((prompt) => prompts.includes(prompt))
  if (ordered.length > 0 && ordered.length === prompts.length) return ordered
  throw new TypeError(
    `Expected one prompt or two different ones of ${ROW_ORDER.join(', ')}: [${prompts.join(', ')}]`,
  )
}

/** Most body tokens for the prompts; a joint pass keeps to the tighter of its two. */
export function maxBodyTokens(card: Card, prompts: readonly Prompt[]): number {
  return Math.min(...prompts.map((prompt) => card.prompts[prompt].maxBodyTokens))
}

/** Tokens of the longest row that any choice of prompts can make. */
export function rowTokensMax(card: Card): number {
  const choices: Prompt[][] = [['ebar'], ['ebae'], ['ebae', 'ebar']]
  return Math.max(...choices.map((prompts) => wrapperTokens(card, prompts) + maxBodyTokens(card, prompts)))
}

/** Tokens of a row with an empty body. */
function wrapperTokens(card: Card, prompts: readonly Prompt[]): number {
  const suffixes = prompts.map((prompt) => card.prompts[prompt].suffixIds.length)
  return card.prompts.ebae.prefixIds.length + suffixes.reduce((sum, length) => sum + length, 0)
}

/**
 * Prefix, body and suffix as one row, joined as ids: tokenising the joined text would give others. The joint pass
 * has both suffixes after one body; the two prompts share their prefix (inconsistencies.ts).
 *
 * @param prompts in the order of `inRowOrder`
 * @param body its first `maxBodyTokens` ids
 */
export function rowTokens(card: Card, prompts: readonly Prompt[], body: Uint32Array): RowTokens {
  const prefix = card.prompts.ebae.prefixIds
  const ids = new Uint32Array(wrapperTokens(card, prompts) + body.length)
  ids.set(prefix)
  ids.set(body, prefix.length)
  const spans: number[] = []
  let at = prefix.length + body.length
  for (const prompt of prompts) {
    const { suffixIds } = card.prompts[prompt]
    ids.set(suffixIds, at)
    spans.push(at, at + suffixIds.length)
    at += suffixIds.length
  }
  return { ids, spans }
}

/**
 * The ids that the model pools. They are special to it, also where tokenizer.json does not mark them so, and no text
 * may yield them.
 */
export function pooledIds(card: Card): number[] {
  return Object.values(card.prompts).flatMap(({ suffixIds }) => suffixIds.slice(-card.pooling.tokens))
}
