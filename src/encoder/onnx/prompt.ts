import type { EncoderCard, Prompt } from '../encoder.ts'
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

/**
 * Prefix, body and suffix as one row, joined as ids: tokenising the joined text would give others. The joint pass
 * has both suffixes after one body, SELF (EBAE) first. Source: LLaRA / Llama2Vec, ACL 2024, and the released
 * checkpoints' own preprocessing.
 */
export function rowTokens(card: Card, task: Task, body: Uint32Array): RowTokens {
  const { ebar, ebae } = card.prompts
  const suffixes = task === 'both' ? [ebae.suffixIds, ebar.suffixIds] : [card.prompts[task].suffixIds]
  const prefix = (task === 'both' ? ebae : card.prompts[task]).prefixIds
  const length = suffixes.reduce((sum, suffix) => sum + suffix.length, prefix.length + body.length)
  const ids = new Uint32Array(length)
  ids.set(prefix)
  ids.set(body, prefix.length)
  const spans: number[] = []
  let at = prefix.length + body.length
  for (const suffix of suffixes) {
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
