import { expect } from 'vitest'
import { indexed } from '../../index/documents.ts'
import { type ContractTest, doc, v, X } from './bench.ts'

/** Passages as texts. */
export function excerpting(contractTest: ContractTest): void {
  const text = 'one 😀 two 𝒜 three four'
  const vectors = [v(1, 0, 0, 0), v(1, 1, 0, 0), v(0, 1, 0, 0), v(1, 0, 0, 0)]

  contractTest('gives a passage and the best ones for a vector, best first', async ({ index }) => {
    const document = indexed({ id: 'a', title: null, text, metadata: {} }, ...vectors)
    await index.upsert([document, doc('b')])
    const best = { vector: v(0, 3, 0, 0), count: 2 }
    const [a, missing, b] = await index.excerpts([
      { id: 'a', ordinal: 3, best },
      { id: 'none', ordinal: 0 },
      { id: 'b', ordinal: 0, best: { vector: X, count: 5 } },
    ])
    const spanOf = (ordinal: number) => document.passages[ordinal]!.span
    const excerpt = (ordinal: number) => {
      const { start, end } = spanOf(ordinal)
      const points = (units: number) => Array.from(text.slice(0, units)).length
      const codePoints = { start: points(start), end: points(end) }
      return { ordinal, start, end, text: text.slice(start, end), codePoints }
    }
    expect(a?.passage).toEqual(excerpt(3))
    expect(a?.best?.map(({ score: _, ...rest }) => rest)).toEqual([excerpt(2), excerpt(1)])
    expect(a?.best?.map(({ score }) => score)).toEqual([1, expect.closeTo(Math.SQRT1_2, 5)])
    expect(missing).toBeUndefined()
    expect(b).toMatchObject({ passage: { text: 'text of b' }, best: [{ ordinal: 0, score: 1 }] })
  })

  contractTest('of equal passages the first of the text is better', async ({ index }) => {
    await index.upsert([indexed({ id: 'a', title: null, text, metadata: {} }, ...vectors)])
    const [a] = await index.excerpts([{ id: 'a', ordinal: 9, best: { vector: X, count: 9 } }])
    expect(a?.best?.map(({ ordinal }) => ordinal)).toEqual([0, 3, 1, 2])
    expect(a).not.toHaveProperty('passage')
    expect(await index.excerpts([])).toEqual([])
    const foreign = index.excerpts([{ id: 'a', ordinal: 0, best: { vector: v(1, 2), count: 1 } }])
    await expect(foreign).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
}
