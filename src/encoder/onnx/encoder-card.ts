import type { Card, CardPrompt } from '../../model/card.ts'
import type { EncoderCard } from '../encoder.ts'

/** What callers may know of a model's card. */
export function encoderCard(card: Card): EncoderCard {
  const { ebar, ebae } = card.prompts
  return {
    id: card.id,
    dimensions: card.dimensions,
    maxTokens: { ebar: tokensMax(ebar), ebae: tokensMax(ebae) },
    bodyTokens: { ebar: ebar.maxBodyTokens, ebae: ebae.maxBodyTokens },
    precision: card.precision,
    prompts: { ebar: asText(ebar), ebae: asText(ebae) },
    fingerprint: card.fingerprint,
    licence: card.licence,
  }
}

function tokensMax({ prefixIds, maxBodyTokens, suffixIds }: CardPrompt): number {
  return prefixIds.length + maxBodyTokens + suffixIds.length
}

function asText({ prefix, suffix }: CardPrompt): string {
  return `${prefix}{text}${suffix}`
}
