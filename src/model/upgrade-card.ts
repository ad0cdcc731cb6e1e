import { CARD_FORMAT } from './card-schema.ts'

/** What each format became in the next one, by the format that is read. */
const STEPS: Record<number, (card: object) => object> = {
  // Format 1 knew encoders only.
  1: (card) => ({ ...card, format: 2, kind: 'encoder' }),
}

/**
 * A card as the present format writes it. Anything that is not a card of an earlier format comes back as it is, for
 * the schema to judge. The fingerprint does not change.
 *
 * @param json what was read from model.json
 */
export function upgradeCard(json: unknown): unknown {
  let card = json
  while (isObject(card) && typeof card['format'] === 'number' && card['format'] < CARD_FORMAT) {
    const step = STEPS[card['format']]
    if (!step) return card
    card = step(card)
  }
  return card
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null
}
