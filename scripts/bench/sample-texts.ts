import type { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'

const WORDS =
  'the harbour opened before dawn and a crew of seven loaded timber while rain fell over northern hills where old stone walls divide fields of barley from pasture an engineer measured how much water passes under each bridge during spring floods then wrote that repair must wait until summer because money was short people in town remember another winter when ice held ships for weeks'.split(
    ' ',
  )

/** Different texts whose bodies have close to `tokens` tokens and never more. */
export async function textsOfLength(
  tokenizer: BodyTokenizer,
  tokens: number,
  count: number,
): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, i) =>
    Array.from({ length: tokens }, (_, j) => WORDS[(i * 7 + j * (1 + (i % 11))) % WORDS.length]!),
  )
  for (;;) {
    const encoded = await tokenizer.encode(texts.map((words) => words.join(' ')))
    const long = encoded.map((ids) => ids.length > tokens)
    if (!long.includes(true)) return texts.map((words) => words.join(' '))
    for (const [i, tooLong] of long.entries()) {
      if (tooLong) texts[i]!.length -= Math.max(1, Math.floor((encoded[i]!.length - tokens) / 4))
    }
  }
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
