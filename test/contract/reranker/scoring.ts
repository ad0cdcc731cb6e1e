import { expect, test } from 'vitest'
import type { Reranker } from '../../../src/reranker/reranker.ts'
import { type Bench, expectSame, MIXED, QUERY } from './bench.ts'

/** A query and texts in, scores out. */
export function scoring({ sharing, word, specialTokens }: Bench): void {
  test('gives a finite score for each text, in order', async () => {
    const reranker = await sharing()
    const { scores, tokens, truncated, queryTruncated, timings } = await reranker.score(QUERY, MIXED)
    for (const each of [scores, tokens, truncated]) expect(each).toHaveLength(MIXED.length)
    expect([...scores].every(Number.isFinite)).toBe(true)
    expect(new Set(scores).size).toBe(MIXED.length)
    expect([...truncated]).toEqual(MIXED.map(() => 0))
    expect(queryTruncated).toBe(false)
    for (const ms of Object.values(timings)) expect(ms).toBeGreaterThanOrEqual(0)
    const reversed = await reranker.score(QUERY, [...MIXED].reverse())
    expectSame(reversed.scores.reverse(), scores)
    expect([...reversed.tokens].reverse()).toEqual([...tokens])
  })

  test('no texts give an empty result', async () => {
    const { scores, tokens, truncated } = await (await sharing()).score(QUERY, [])
    for (const each of [scores, tokens, truncated]) expect(each).toHaveLength(0)
  })

  test('a text alone has the score that it has among others', async () => {
    const reranker = await sharing()
    const long = `${word} `.repeat(200)
    const texts = [...MIXED, long]
    const { scores } = await reranker.score(QUERY, texts)
    for (const [i, text] of texts.entries()) {
      const alone = await reranker.score(QUERY, [text])
      expectSame(alone.scores, [scores[i]!])
    }
  })

  test('the query counts, and so does which of the two is which', async () => {
    const reranker = await sharing()
    const [a, b] = [MIXED[0]!, MIXED[2]!]
    const one = await reranker.score(a, [b])
    const other = await reranker.score(b, [a])
    const third = await reranker.score(QUERY, [b])
    expect(new Set([one.scores[0], other.scores[0], third.scores[0]]).size).toBe(3)
  })

  test('calls at once each get their own scores', async () => {
    const reranker = await sharing()
    const queries = ['why', 'leaves', QUERY, '']
    const alone: Float32Array[] = []
    for (const query of queries) alone.push((await reranker.score(query, MIXED)).scores)
    const calls = queries.flatMap((query) =>
      (['interactive', 'bulk'] as const).map((lane) => reranker.score(query, MIXED, { lane })),
    )
    const together = await Promise.all(calls)
    for (const [i, { scores }] of together.entries()) expectSame(scores, alone[Math.floor(i / 2)]!)
  })

  test('a text over its limit is cut at its end and reported', async () => {
    const reranker = await sharing()
    const fitting = await longestFitting(reranker, word)
    const texts = [fitting, `${fitting} ${word} and more`, `${fitting} otherwise`.repeat(50)]
    const { scores, tokens, truncated } = await reranker.score('x', texts)
    expect([...truncated]).toEqual([0, 1, 1])
    expect(new Set(tokens).size).toBe(1)
    expectSame(
      scores,
      texts.map(() => scores[0]!),
    )
    expect(tokens[0]).toBeLessThanOrEqual(reranker.card.maxTokens)
  })

  test('a query over its limit is cut at its end, and leaves a text its room', async () => {
    const reranker = await sharing()
    const long = `${word} `.repeat(400)
    const [cut, longer] = [await reranker.score(long, MIXED), await reranker.score(`${long} more`, MIXED)]
    expect([cut.queryTruncated, longer.queryTruncated]).toEqual([true, true])
    expectSame(cut.scores, longer.scores)
    expect(new Set(cut.scores).size).toBe(MIXED.length)
    const both = await reranker.score(long, [long])
    expect(both.truncated[0]).toBe(1)
    expect(both.tokens[0]).toBeLessThanOrEqual(reranker.card.maxTokens)
  })

  test('special tokens in a query or a text stay text', async () => {
    const reranker = await sharing()
    const plain = await reranker.score('a  b', ['a  b'])
    for (const special of specialTokens) {
      const [asText, asQuery] = [
        await reranker.score('a  b', [`a ${special} b`]),
        await reranker.score(`a ${special} b`, ['a  b']),
      ]
      // One token would be the special one; spelled out it takes several.
      for (const { tokens } of [asText, asQuery]) expect(tokens[0]! - plain.tokens[0]!).toBeGreaterThan(1)
    }
  })

  test('any string is scored, half a surrogate pair as U+FFFD', async () => {
    const reranker = await sharing()
    const texts = ['', ' \n\t\u00a0', 'a\ud83d b', 'a\ufffd b', '\0\u0007']
    const { scores } = await reranker.score('a\ud83d', texts)
    expect([...scores].every(Number.isFinite)).toBe(true)
    expectSame([scores[2]!], [scores[3]!])
    expectSame((await reranker.score('a\ufffd', texts)).scores, scores)
  })

  test('its card says what it reads, and within which limits', async () => {
    const { card } = await sharing()
    expect(card.kind).toBe('reranker')
    expect(card.template.indexOf('{query}')).toBeGreaterThanOrEqual(0)
    expect(card.template.indexOf('{text}')).toBeGreaterThan(card.template.indexOf('{query}'))
    expect(card.maxQueryTokens).toBeLessThan(card.maxTokens)
    expect(card.fingerprint).toMatch(/^[0-9a-f]{64}$/)
  })
}

/** The longest text of one repeated word that is not cut, for the query `x`. */
async function longestFitting(reranker: Reranker, word: string): Promise<string> {
  const texts = Array.from({ length: 90 }, (_, i) => new Array(i + 1).fill(word).join(' '))
  const { truncated } = await reranker.score('x', texts)
  const last = truncated.indexOf(1) - 1
  expect(last).toBeGreaterThan(0)
  return texts[last]!
}
