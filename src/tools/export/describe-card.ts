import type { Card, CardKind } from '../../model/card.ts'

/** What a model gives, in a phrase. */
export function gives(card: Card<CardKind>): string {
  return card.kind === 'encoder' ? `${card.dimensions} dimensions` : 'a reranker'
}

/** What texts are put into, a line each. */
export function reads(card: Card<CardKind>): string[] {
  if (card.kind === 'encoder') {
    return Object.entries(card.prompts).map(
      ([name, { prefix, suffix, maxBodyTokens }]) =>
        `${name}: ${prefix}{text of up to ${maxBodyTokens} tokens}${suffix}`,
    )
  }
  const { shown, maxQueryTokens, maxTextTokens, maxTokens } = card.template
  return [
    `reads: ${JSON.stringify(shown)}`,
    `up to ${maxQueryTokens} tokens of query, ${maxTextTokens} of text, ${maxTokens} in all`,
  ]
}
