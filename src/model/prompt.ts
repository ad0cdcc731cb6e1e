import type { Card } from './card.ts'

/** What a text is embedded for; encoder.ts says what each prompt is good for. */
export type Prompt = 'ebar' | 'ebae'

/** One row of a batch before padding. */
export interface RowTokens {
  ids: Uint32Array
  /** Half-open token range of each prompt suffix, flat: [start, end] or, jointly, [start, end, start, end]. */
  spans: number[]
}

/** The prompts that one run of the model serves: one, or in a joint pass both, in the order of their suffixes. */
export type Pass = readonly Prompt[]

/** The order of suffixes in a row, and so of its embeddings: in the joint pass SELF (EBAE) comes before NEXT (EBAR). */
const ROW_ORDER: readonly Prompt[] = ['ebae', 'ebar']

/**
 * The passes that give a text's embeddings for the prompts, whatever order they were asked for in. A joint pass has
 * one prefix for both, so prompts that begin differently (RepLLaMA's) take a pass each.
 *
 * @throws TypeError for no prompt, an unknown one or one named twice: a mistake of the calling code
 */
export function passesOf({ prompts }: Pick<Card, 'prompts'>, asked: readonly Prompt[]): Pass[] {
  const ordered = ROW_ORDER.filter((prompt) => asked.includes(prompt))
  if (ordered.length === 0 || ordered.length !== asked.length) {
    throw new TypeError(
      `Expected one prompt or two different ones of ${ROW_ORDER.join(', ')}: [${asked.join(', ')}]`,
    )
  }
  const [first, ...others] = ordered.map((prompt) => prompts[prompt].prefixIds.join())
  return others.every((prefix) => prefix === first) ? [ordered] : ordered.map((prompt) => [prompt])
}

/** Most body tokens in a pass; a joint one keeps to the tighter of its two prompts. */
export function maxBodyTokens({ prompts }: Pick<Card, 'prompts'>, pass: Pass): number {
  return Math.min(...pass.map((prompt) => prompts[prompt].maxBodyTokens))
}

/** Tokens of the longest row that any choice of prompts can make. */
export function rowTokensMax(card: Pick<Card, 'prompts'>): number {
  const passes: Pass[] = [['ebar'], ['ebae'], ...passesOf(card, ['ebar', 'ebae'])]
  return Math.max(...passes.map((pass) => wrapperTokens(card, pass) + maxBodyTokens(card, pass)))
}

/** Tokens of a row with an empty body. */
function wrapperTokens({ prompts }: Pick<Card, 'prompts'>, pass: Pass): number {
  const suffixes = pass.map((prompt) => prompts[prompt].suffixIds.length)
  return prompts[pass[0]!].prefixIds.length + suffixes.reduce((sum, length) => sum + length, 0)
}

/**
 * Prefix, body and suffix as one row, joined as ids: tokenising the joined text would give others. The joint pass
 * has both suffixes after one body.
 *
 * @param pass one of `passesOf`
 * @param body its first `maxBodyTokens` ids
 */
export function rowTokens(card: Pick<Card, 'prompts'>, pass: Pass, body: Uint32Array): RowTokens {
  const prefix = card.prompts[pass[0]!].prefixIds
  const ids = new Uint32Array(wrapperTokens(card, pass) + body.length)
  ids.set(prefix)
  ids.set(body, prefix.length)
  const spans: number[] = []
  let at = prefix.length + body.length
  for (const prompt of pass) {
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
