import { describe, expect, it } from 'vitest'
import type { IndexedDocument } from '../../src/index/document.ts'
import type { DocumentIndex } from '../../src/index/document-index.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { idsOf, indexed, vectorOf } from './documents.ts'
import { clusteredDocuments, Random } from './random.ts'
import { countOf, DIMENSIONS, IDENTITY, openIn, scratchFolder, searchVectors } from './scratch.ts'

async function ingest(index: DocumentIndex, documents: IndexedDocument[]): Promise<void> {
  for (let i = 0; i < documents.length; i += 500) await index.upsert(documents.slice(i, i + 500))
}

async function tombstonesOf(index: DocumentIndex): Promise<number> {
  return (await index.stats()).own['tombstones']!
}

describe('walks of the graph', () => {
  it('find at least 95 % of the true ten nearest, with the very same scores', async () => {
    const random = new Random(11)
    const index = await openIn(await scratchFolder(), {}, { ...IDENTITY, dimensions: 48 })
    const documents = clusteredDocuments(random, 4000, 48)
    await ingest(index, documents)
    const queries = Array.from({ length: 100 }, () => random.nearby(vectorOf(random.pick(documents)), 0.5))
    const truth = await searchVectors(index, queries, 10, { tuning: { exact: true }, fields: [] })
    const found = await searchVectors(index, queries, 10, { fields: [] })
    expect(found.every(({ path }) => path === 'hnsw')).toBe(true)
    expect(truth.every(({ path }) => path === 'exact')).toBe(true)
    let same = 0
    for (const [i, { hits }] of found.entries()) {
      const expected = new Map(truth[i]?.hits.map(({ id, score }) => [id, score]))
      for (const { id, score } of hits) {
        if (!expected.has(id)) continue
        same++
        expect(score).toBe(expected.get(id))
      }
    }
    expect(same / 1000).toBeGreaterThanOrEqual(0.95)
  })

  it('give k under filters, by the cheaper path', async () => {
    const random = new Random(12)
    const index = await openIn(await scratchFolder(), { exactScoringMax: 250, hnswEf: 20 })
    await ingest(index, clusteredDocuments(random, 3000, DIMENSIONS))
    const queries = Array.from({ length: 20 }, () => random.unitVector(DIMENSIONS))
    for (const [wire, path, matches] of [
      [{ tenth: false }, 'hnsw', 2700],
      [{ n: { $lt: 200 } }, 'exact', 200],
      [{ n: { $in: [3, 5, 7] } }, 'exact', 3],
      [{ n: { $gt: 5000 } }, 'exact', 0],
    ] as const) {
      const filter = parseFilter(wire)
      for (const result of await searchVectors(index, queries, 5, { filter })) {
        expect(result.path).toBe(path)
        expect(result.hits).toHaveLength(Math.min(5, matches))
      }
      const { documents } = await index.scan({ limit: 3000, filter })
      expect(documents).toHaveLength(matches)
    }
  })

  it('fall back to scoring where the matches lie far from the query', async () => {
    const random = new Random(13)
    const near = random.unitVector(DIMENSIONS)
    const far = near.map((value) => -value)
    const index = await openIn(await scratchFolder(), { exactScoringMax: 10, hnswEf: 10 })
    const documents = clusteredDocuments(random, 3000, DIMENSIONS).map(({ document }, i) => {
      const metadata = { side: i < 1500 ? 'near' : 'far' }
      return indexed({ ...document, metadata }, random.nearby(i < 1500 ? near : far, 0.3))
    })
    await ingest(index, documents)
    const [result] = await searchVectors(index, [near], 10, { filter: parseFilter({ side: 'far' }) })
    expect(result?.hits).toHaveLength(10)
    expect(result?.path).toBe('exact')
  })
})

describe('one vector many times over', () => {
  it('gives k hits by either path, the first ids where all are scored', async () => {
    const random = new Random(17)
    const index = await openIn(await scratchFolder(), { hnswEf: 20 })
    const vector = random.unitVector(DIMENSIONS)
    const documents = clusteredDocuments(random, 3000, DIMENSIONS).map(({ document }) =>
      indexed(document, vector),
    )
    await ingest(index, documents)
    const [exact] = await searchVectors(index, [vector], 4, { tuning: { exact: true } })
    expect(exact?.hits.map(({ id }) => id)).toEqual(['d0', 'd1', 'd10', 'd100'])
    const [found] = await searchVectors(index, [vector], 4)
    expect(found?.hits.map(({ score }) => score)).toEqual([1, 1, 1, 1])
    const [filtered] = await searchVectors(index, [vector], 4, { filter: parseFilter({ n: { $gte: 2000 } }) })
    expect(filtered?.hits.map(({ id }) => id)).toEqual(['d2000', 'd2001', 'd2002', 'd2003'])
  })
})

describe('tombstones', () => {
  it('are bounded by a rebuild in the background that changes no answer', async () => {
    const random = new Random(14)
    const dataDir = await scratchFolder()
    const index = await openIn(dataDir, { tombstonesMin: 100, sliceMsMax: 1 })
    const documents = clusteredDocuments(random, 2000, DIMENSIONS)
    await ingest(index, documents)
    const queries = Array.from({ length: 30 }, () => random.unitVector(DIMENSIONS))
    await index.remove({ ids: idsOf(documents.slice(0, 300)) })
    expect(await tombstonesOf(index)).toBe(300)
    await ingest(index, documents.slice(1500))
    // More than a fifth is dead now. Writes during the rebuild reach both graphs.
    const late = clusteredDocuments(random, 200, DIMENSIONS).map(({ document, passages }) =>
      indexed({ ...document, id: `late-${document.id}` }, passages[0]!.vector),
    )
    await index.upsert(late.slice(0, 100))
    await index.remove({ ids: idsOf(documents.slice(300, 340)) })
    await index.upsert(late.slice(100))
    await expect
      .poll(() => index.notices.map(({ kind }) => kind), { timeout: 30_000 })
      .toContain('graph-built')
    expect(await countOf(index)).toBe(2000 - 340 + 200)
    expect(await tombstonesOf(index)).toBeLessThan(150)
    const check = async (target: DocumentIndex) => {
      const truth = await searchVectors(target, queries, 10, { tuning: { exact: true } })
      const found = await searchVectors(target, queries, 10, { tuning: { ef: 150 } })
      expect(found.map(({ path }) => path)).toContain('hnsw')
      const ids = (results: typeof truth) => results.map(({ hits }) => hits.map(({ id }) => id))
      const flat = ids(truth).flatMap((list, i) => list.map((id) => ids(found)[i]?.includes(id)))
      expect(flat.filter(Boolean).length / flat.length).toBeGreaterThanOrEqual(0.95)
      const own = await searchVectors(target, late.map(vectorOf), 1)
      expect(own.filter(({ hits }, i) => hits[0]?.id === late[i]?.document.id).length).toBeGreaterThanOrEqual(
        195,
      )
    }
    await check(index)
    await index.close()
    const again = await openIn(dataDir)
    expect(again.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
    await check(again)
  })

  it('of everything leave room for a new beginning', async () => {
    const index = await openIn(await scratchFolder(), { tombstonesMin: 10 })
    const documents = clusteredDocuments(new Random(15), 1200, DIMENSIONS)
    for (let round = 0; round < 3; round++) {
      await ingest(index, documents)
      expect(await index.remove({ filter: parseFilter({}) })).toEqual({ removed: 1200 })
      expect((await searchVectors(index, [vectorOf(documents[0]!)], 3))[0]?.hits).toEqual([])
    }
    await ingest(index, documents)
    const [result] = await searchVectors(index, [vectorOf(documents[5]!)], 3)
    expect(result?.hits).toHaveLength(3)
    expect(result?.hits[0]?.id).toBe('d5')
  })
})

describe('a queue that is full', () => {
  it('sends away what comes next, saying when to come back, and serves the rest', async () => {
    const index = await openIn(await scratchFolder(), { storeWritesMax: 3, storeOperationsMax: 6 })
    const documents = clusteredDocuments(new Random(16), 50, DIMENSIONS)
    const writes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, i) => index.upsert(documents.slice(i * 10, i * 10 + 10))),
    )
    expect(writes.map(({ status }) => status)).toEqual([
      ...Array(3).fill('fulfilled'),
      'rejected',
      'rejected',
    ])
    const reason = (writes[4] as PromiseRejectedResult).reason
    expect(reason).toMatchObject({ code: 'OVERLOADED', details: { limit: 3 } })
    expect(reason.details.retryAfterMs).toBeGreaterThanOrEqual(100)
    const reads = await Promise.allSettled(Array.from({ length: 8 }, () => index.get(['d0'])))
    expect(reads.filter(({ status }) => status === 'rejected')).toHaveLength(2)
    expect(await index.stats()).toMatchObject({ documents: 30, waiting: 0 })
  })
})
