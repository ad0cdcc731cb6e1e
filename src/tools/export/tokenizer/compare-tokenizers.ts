import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import type { KnownBody } from './known-bodies.ts'
import { PROBE_TEXTS } from './probe-texts.ts'
import { tokenIds } from './token-ids.ts'

/** The first token that has one id in one tokenizer.json and another in the other, said in words. */
export function differentToken(one: string, other: string): string | undefined {
  const ids = tokenIds(other)
  for (const [token, id] of tokenIds(one)) {
    const otherId = ids.get(token)
    if (otherId !== undefined && otherId !== id) return `${token} is ${id} and ${otherId}`
  }
  return undefined
}

/** The first probe text that two tokenizer.json cut otherwise, said in words; undefined where they agree. */
export async function differentText(one: string, other: string): Promise<string | undefined> {
  const texts = PROBE_TEXTS.filter((text) => text !== '')
  const [left, right] = await Promise.all([one, other].map((json) => BodyTokenizer.load(json).encode(texts)))
  for (const [i, text] of texts.entries()) {
    const [a, b] = [left![i]!, right![i]!]
    if (a.length === b.length && a.every((id, at) => id === b[at])) continue
    return `${JSON.stringify(text)} is ${shown(a)} and ${shown(b)}`
  }
  return undefined
}

/** The first known text that a tokenizer encodes otherwise, said in words; undefined where it knows them all. */
export async function unknownBody(
  tokenizer: BodyTokenizer,
  known: readonly KnownBody[],
): Promise<string | undefined> {
  const encoded = await tokenizer.encode(known.map(({ text }) => text))
  const at = known.findIndex(({ ids }, i) => `${ids}` !== `${encoded[i]!}`)
  if (at < 0) return undefined
  const { text, ids } = known[at]!
  return `encodes ${JSON.stringify(text)} as ${shown(encoded[at]!)}, but the model was trained with ${shown(ids)}`
}

/** Ids shown of a text. */
const IDS_SHOWN = 12

function shown(ids: ArrayLike<number>): string {
  const first = Array.from(ids).slice(0, IDS_SHOWN)
  return `[${first.join(' ')}${ids.length > IDS_SHOWN ? ' ...' : ''}]`
}
