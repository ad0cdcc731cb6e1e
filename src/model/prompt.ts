import type { EncoderCard, Prompt } from '../encoder/encoder.ts'
import type { Card } from './card.ts'

/** What one text is embedded for; `both` is the joint pass. */
export type Task = Prompt | 'both'

/** One row of a batch before padding. */
export interface RowTokens {
  ids: Uint32Array
  /** Half-open token range of each prompt suffix, flat: [start, end] or, jointly, [start, end, start, end]. */
  spans: number[]
}

/** Most body tokens for a task; the joint pass keeps to the tighter of its two prompts. */
export function maxBodyTokens(card: Card, task: Task): number {
  const { ebar, ebae } = card.prompts
  if (task === 'both') return Math.min(ebar.maxBodyTokens, ebae.maxBodyTokens)
  return card.prompts[task].maxBodyTokens
}

/** Tokens of the longest row any task can make. */
export function rowTokensMax(card: Card): number {
  const rows = (['ebar', 'ebae', 'both'] as const).map((task) => {
    const { prefixIds } = card.prompts.ebae
    return suffixes(card, task).flat().length + prefixIds.length + maxBodyTokens(card, task)
  })
  return Math.max(...rows)
}

/** SELF (EBAE) comes first in the joint pass. */
function suffixes(card: Card, task: Task): number[][] {
  const { ebar, ebae } = card.prompts
  return task === 'both' ? [ebae.suffixIds, ebar.suffixIds] : [card.prompts[task].suffixIds]
}

/**
 * Prefix, body and suffix as one row, joined as ids: tokenising the joined text would give others. The joint pass
 * has both suffixes after one body; the two prompts share their prefix (card-file.ts). Source: LLaRA / Llama2Vec, ACL 2024, and the released
 * checkpoints' own preprocessing.
 */
export function rowTokens(card: Card, task: Task, body: Uint32Array): RowTokens {
  const prefix = card.prompts.ebae.prefixIds
  const ends = suffixes(card, task)
  const ids = new Uint32Array(prefix.length + body.length + ends.flat().length)
  ids.set(prefix)
  ids.set(body, prefix.length)
  const spans: number[] = []
  let at = prefix.length + body.length
  for (const suffix of ends) {
    ids.set(suffix, at)
    spans.push(at, at + suffix.length)
    at += suffix.length
  }
  return { ids, spans }
}

/** What callers may know of a card. */
export function encoderCard(card: Card): EncoderCard {
  const { ebar, ebae } = card.prompts
  const tokens = (prompt: typeof ebar) =>
    prompt.prefixIds.length + prompt.maxBodyTokens + prompt.suffixIds.length
  return {
    id: card.id,
    dimensions: card.dimensions,
    maxTokens: { ebar: tokens(ebar), ebae: tokens(ebae) },
    precision: card.precision,
    prompts: { ebar: `${ebar.prefix}{text}${ebar.suffix}`, ebae: `${ebae.prefix}{text}${ebae.suffix}` },
    fingerprint: card.fingerprint,
    licence: card.licence,
  }
}
