import { expect, it } from 'vitest'
import type { DocumentIndex } from '../../src/index/document-index.ts'
import { indexed } from './documents.ts'
import { Random } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder, searchVectors } from './scratch.ts'

const LIMIT = 10_000
const COUNT = 20

/** Documents of 1,000 bytes each, and a last one that is larger than a whole answer may be. */
async function filled(limits = {}): Promise<{ index: DocumentIndex; vector: Float32Array }> {
  const index = await openIn(await scratchFolder(), { answerBytesMax: LIMIT, ...limits })
  const random = new Random(1)
  const vectors = Array.from({ length: COUNT + 1 }, () => random.unitVector(DIMENSIONS))
  const sizes = [...Array<number>(COUNT).fill(1000), 3 * LIMIT]
  const documents = sizes.map((size, i) =>
    indexed(
      { id: `d${String(i).padStart(2, '0')}`, text: 'x'.repeat(size), title: null, metadata: {} },
      vectors[i]!,
    ),
  )
  await index.upsert(documents)
  return { index, vector: vectors[COUNT]! }
}

const tooLarge = { code: 'TOO_LARGE', details: { limit: LIMIT } }

for (const exactScoringMax of [0, 10_000]) {
  it(`a search for more text than an answer holds is refused (exact below ${exactScoringMax})`, async () => {
    const { index, vector } = await filled({ exactScoringMax })
    for (const tuning of [{}, { exact: true }]) {
      await expect(searchVectors(index, [vector], COUNT, { tuning })).rejects.toMatchObject(tooLarge)
      // Of several queries, all results together count.
      const three = [vector, vector, vector]
      await expect(searchVectors(index, three, 5, { tuning })).rejects.toMatchObject(tooLarge)
      const [small] = await searchVectors(index, [vector], COUNT, { tuning, fields: ['title', 'metadata'] })
      expect(small?.hits).toHaveLength(COUNT)
      const [ids] = await searchVectors(index, three, COUNT, { tuning, fields: [] })
      expect(ids?.hits).toHaveLength(COUNT)
    }
  })
}

it('a single document is given whatever its size', async () => {
  const { index, vector } = await filled()
  const [result] = await searchVectors(index, [vector], 1)
  expect(result?.hits[0]?.document?.text).toHaveLength(3 * LIMIT)
})

it('reading documents by their ids is refused where they are more than an answer holds', async () => {
  const { index } = await filled()
  const ids = Array.from({ length: COUNT }, (_, i) => `d${String(i).padStart(2, '0')}`)
  await expect(index.get(ids)).rejects.toMatchObject(tooLarge)
  expect(await index.get(ids, { fields: ['title'] })).toHaveLength(COUNT)
  expect(await index.get([`d${COUNT}`])).toMatchObject([{ id: `d${COUNT}` }])
})

it('a page of large documents ends earlier, and the list has all of them', async () => {
  const { index } = await filled()
  const ids: string[] = []
  const sizes: number[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await index.scan({ limit: 1000, ...(cursor !== undefined && { cursor }) })
    ids.push(...page.documents.map(({ id }) => id))
    sizes.push(page.documents.length)
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  expect(new Set(ids).size).toBe(COUNT + 1)
  expect(ids).toEqual([...ids].sort())
  expect(Math.max(...sizes)).toBeLessThanOrEqual(10)
})
