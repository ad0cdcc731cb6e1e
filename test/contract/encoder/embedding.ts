import { expect, test } from 'vitest'
import type { Encoder, Prompt } from '../../../src/encoder/encoder.ts'
import { type Bench, dot, expectSame, MIXED, PROMPTS } from './bench.ts'

/** Texts in, vectors out. */
export function embedding({ sharing, word, specialTokens }: Bench): void {
  test('gives unit vectors of the card’s dimensions, in order', async () => {
    const encoder = await sharing()
    for (const prompt of PROMPTS) {
      const result = await encoder.encode(MIXED, [prompt])
      const { tokens, truncated, mostlyUnknown } = result
      expect(Object.keys(result.vectors)).toEqual([prompt])
      const vectors = result.vectors[prompt]
      expect(vectors).toHaveLength(MIXED.length)
      expect(tokens).toHaveLength(MIXED.length)
      expect([...truncated]).toEqual(MIXED.map(() => 0))
      expect([...mostlyUnknown]).toEqual(MIXED.map(() => 0))
      for (const vector of vectors) {
        expect(vector).toHaveLength(encoder.card.dimensions)
        expect(dot(vector, vector)).toBeCloseTo(1, 5)
      }
      const reversed = await encoder.encode([...MIXED].reverse(), [prompt])
      expectSame(reversed.vectors[prompt].reverse(), vectors)
      expect([...reversed.tokens].reverse()).toEqual([...tokens])
    }
  })

  test('an empty list gives an empty result', async () => {
    const encoder = await sharing()
    const one = await encoder.encode([], ['ebar'])
    expect(one).toMatchObject({ vectors: { ebar: [] }, tokens: new Uint32Array(0) })
    const both = await encoder.encode([], ['ebar', 'ebae'])
    expect(both.vectors).toEqual({ ebar: [], ebae: [] })
  })

  test('counts the tokens that it reads of a text, whole', async () => {
    const encoder = await sharing()
    const words = (count: number) => new Array(count).fill(word).join(' ')
    const most = encoder.card.bodyTokens.ebae
    const lengths = [1, 2, most, most + 1, 5 * most]
    const counts = await encoder.countTokens(lengths.map(words))
    expect([...counts].map((count) => count - counts[0]!)).toEqual(lengths.map((length) => length - 1))
    const { tokens, truncated } = await encoder.encode(lengths.map(words), ['ebae'])
    expect([...truncated]).toEqual([...counts].map((count) => Number(count > most)))
    expect(tokens[0]! - counts[0]!).toBe(encoder.card.maxTokens.ebae - most)
    expect(await encoder.countTokens([])).toEqual(new Uint32Array(0))
    await expect(encoder.countTokens(['x'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })

  test('a text alone equals the text in a mixed batch', async () => {
    const encoder = await sharing()
    for (const prompt of PROMPTS) {
      const { vectors } = await encoder.encode(MIXED, [prompt])
      for (const [i, text] of MIXED.entries()) {
        const alone = await encoder.encode([text], [prompt])
        expect(dot(alone.vectors[prompt][0]!, vectors[prompt][i]!)).toBeGreaterThan(0.9999)
      }
    }
  })

  test('the two prompts give different vectors', async () => {
    const encoder = await sharing()
    const { ebar } = (await encoder.encode(MIXED, ['ebar'])).vectors
    const { ebae } = (await encoder.encode(MIXED, ['ebae'])).vectors
    for (const i of MIXED.keys()) expect(dot(ebar[i]!, ebae[i]!)).toBeLessThan(0.999)
  })

  test('both prompts at once equal each alone', async () => {
    const encoder = await sharing()
    const alone = {
      ...(await encoder.encode(MIXED, ['ebar'])).vectors,
      ...(await encoder.encode(MIXED, ['ebae'])).vectors,
    }
    const orders: Prompt[][] = [
      ['ebar', 'ebae'],
      ['ebae', 'ebar'],
    ]
    for (const prompts of orders) {
      const { vectors, tokens, truncated, mostlyUnknown } = await encoder.encode(MIXED, prompts)
      expect(Object.keys(vectors).sort()).toEqual(['ebae', 'ebar'])
      for (const prompt of PROMPTS) expectSame(vectors[prompt], alone[prompt])
      for (const each of [tokens, truncated, mostlyUnknown]) expect(each).toHaveLength(MIXED.length)
    }
  })

  test.each<{ what: string; prompts: Prompt[] }>([
    { what: 'no prompt', prompts: [] },
    { what: 'one prompt twice', prompts: ['ebar', 'ebar'] },
    { what: 'three', prompts: ['ebar', 'ebae', 'ebar'] },
    { what: 'an unknown one', prompts: ['query' as Prompt] },
  ])('$what is a mistake of the caller', async ({ prompts }) => {
    const encoder = await sharing()
    await expect(encoder.encode(['x'], prompts)).rejects.toThrow(TypeError)
  })

  test('texts over the limit are cut at their end and reported', async () => {
    const encoder = await sharing()
    for (const prompt of PROMPTS) {
      const fitting = await longestFitting(encoder, word, prompt)
      const texts = [fitting, `${fitting} ${word} and more`, `${fitting} otherwise`.repeat(50)]
      const { vectors, tokens, truncated } = await encoder.encode(texts, [prompt])
      expect([...truncated]).toEqual([0, 1, 1])
      expect([...tokens]).toEqual(texts.map(() => encoder.card.maxTokens[prompt]))
      expectSame([vectors[prompt][1]!], [vectors[prompt][0]!])
    }
  })

  test('both prompts at once cut and refuse a text as each alone does', async () => {
    const encoder = await sharing()
    for (const prompt of PROMPTS) {
      const fitting = await longestFitting(encoder, word, prompt)
      const texts = ['x', fitting, `${fitting} ${word}`, `${word} ${word} `.repeat(500)]
      const both = await encoder.encode(texts, PROMPTS)
      const cut = texts.map(() => 0)
      const tokens = texts.map(() => 0)
      for (const each of PROMPTS) {
        const alone = await encoder.encode(texts, [each])
        expectSame(both.vectors[each], alone.vectors[each])
        for (const i of texts.keys()) {
          cut[i] = Math.max(cut[i]!, alone.truncated[i]!)
          tokens[i] = Math.max(tokens[i]!, alone.tokens[i]!)
        }
      }
      expect([...both.truncated]).toEqual(cut)
      for (const i of texts.keys()) expect(both.tokens[i]).toBeGreaterThan(tokens[i]!)
      const { batches } = await encoder.stats()
      await expect(encoder.encode(texts, PROMPTS, { truncate: 'error' })).rejects.toMatchObject({
        code: 'TEXT_TOO_LONG',
        details: { index: cut.indexOf(1) },
      })
      expect((await encoder.stats()).batches).toBe(batches)
    }
  })

  test('with truncate: error a text over the limit fails its call', async () => {
    const encoder = await sharing()
    const fitting = await longestFitting(encoder, word, 'ebae')
    await encoder.encode([fitting], ['ebae'], { truncate: 'error' })
    const { batches } = await encoder.stats()
    await expect(
      encoder.encode(['x', `${fitting} ${word}`], ['ebae'], { truncate: 'error' }),
    ).rejects.toMatchObject({ code: 'TEXT_TOO_LONG', details: { index: 1 } })
    expect((await encoder.stats()).batches).toBe(batches)
  })

  test('special tokens in a text stay text', async () => {
    const encoder = await sharing()
    const plain = await encoder.encode(['a  b'], ['ebae'])
    for (const special of specialTokens) {
      const { tokens, vectors } = await encoder.encode([`a ${special} b`, special], ['ebae'])
      // One token would be the special one; spelled out it takes several.
      expect(tokens[0]! - plain.tokens[0]!).toBeGreaterThan(1)
      expect(vectors.ebae).toHaveLength(2)
    }
  })

  test.each([
    ['an empty one', ''],
    ['white space', ' \n\t\u00a0'],
    ['half a surrogate pair', 'a\ud83d b'],
    ['control characters', '\0\u0007'],
  ])('any string is embedded: %s', async (_, text) => {
    const encoder = await sharing()
    for (const truncate of ['end', 'error'] as const) {
      const { vectors, tokens, truncated } = await encoder.encode(['x', text], PROMPTS, { truncate })
      expect([...truncated]).toEqual([0, 0])
      expect(tokens[1]).toBeGreaterThan(0)
      for (const prompt of PROMPTS) {
        expect(dot(vectors[prompt][1]!, vectors[prompt][1]!)).toBeCloseTo(1, 5)
        const alone = await encoder.encode([text], [prompt])
        expectSame(alone.vectors[prompt], [vectors[prompt][1]!])
      }
    }
  })

  test('an empty text costs its prompt alone, half a surrogate pair is U+FFFD', async () => {
    const encoder = await sharing()
    const { tokens, vectors } = await encoder.encode(['', 'x', 'a\ud83d', 'a\ufffd'], ['ebae'])
    expect(tokens[0]).toBeLessThan(tokens[1]!)
    expectSame([vectors.ebae[2]!], [vectors.ebae[3]!])
  })
}

/** The longest text of one repeated word that is not cut. */
async function longestFitting(encoder: Encoder, word: string, prompt: Prompt): Promise<string> {
  const texts = Array.from({ length: encoder.card.maxTokens[prompt] }, (_, i) =>
    new Array(i + 1).fill(word).join(' '),
  )
  const { tokens, truncated } = await encoder.encode(texts, [prompt])
  const last = truncated.indexOf(1) - 1
  expect(tokens[last]).toBe(encoder.card.maxTokens[prompt])
  return texts[last]!
}
