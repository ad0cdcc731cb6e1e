import { describe, expect, it } from 'vitest'
import type { VectorDocument } from '../../src/index/document-index.ts'
import type { EmbeddedStore } from '../../src/index/embedded/embedded-index.ts'
import { parseFilter } from '../../src/index/filter.ts'
import { clusteredDocuments, Random } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder } from './scratch.ts'

async function ingest(store: EmbeddedStore, documents: VectorDocument[]): Promise<void> {
  for (let i = 0; i < documents.length; i += 500) await store.upsert(documents.slice(i, i + 500))
}

describe('walks of the graph', () => {
  it('find at least 95 % of the true ten nearest, with the very same scores', async () => {
    const random = new Random(11)
    const store = await openIn(await scratchFolder(), { dimensions: 48 })
    const documents = clusteredDocuments(random, 4000, 48)
    await ingest(store, documents)
    const queries = Array.from({ length: 100 }, () => random.nearby(random.pick(documents).vector, 0.5))
    const truth = await store.search(queries, 10, { exact: true, documents: false })
    const found = await store.search(queries, 10, { documents: false })
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
    const store = await openIn(await scratchFolder(), { exactScoringMax: 250, efSearch: 20 })
    await ingest(store, clusteredDocuments(random, 3000, DIMENSIONS))
    const queries = Array.from({ length: 20 }, () => random.unitVector(DIMENSIONS))
    for (const [wire, path, matches] of [
      [{ tenth: false }, 'hnsw', 2700],
      [{ n: { $lt: 200 } }, 'exact', 200],
      [{ n: { $in: [3, 5, 7] } }, 'exact', 3],
      [{ n: { $gt: 5000 } }, 'exact', 0],
    ] as const) {
      const filter = parseFilter(wire)
      for (const result of await store.search(queries, 5, { filter })) {
        expect(result.path).toBe(path)
        expect(result.hits).toHaveLength(Math.min(5, matches))
      }
      expect(await store.count(filter)).toBe(matches)
    }
  })

  it('fall back to scoring where the matches lie far from the query', async () => {
    const random = new Random(13)
    const near = random.unitVector(DIMENSIONS)
    const far = near.map((value) => -value)
    const store = await openIn(await scratchFolder(), { exactScoringMax: 10, efSearch: 10 })
    const documents = clusteredDocuments(random, 3000, DIMENSIONS).map((document, i) => ({
      ...document,
      vector: random.nearby(i < 1500 ? near : far, 0.3),
      metadata: { side: i < 1500 ? 'near' : 'far' },
    }))
    await ingest(store, documents)
    const [result] = await store.search([near], 10, { filter: parseFilter({ side: 'far' }) })
    expect(result?.hits).toHaveLength(10)
    expect(result?.path).toBe('exact')
  })
})

describe('one vector many times over', () => {
  it('gives k hits by either path, the first ids where all are scored', async () => {
    const random = new Random(17)
    const store = await openIn(await scratchFolder(), { efSearch: 20 })
    const vector = random.unitVector(DIMENSIONS)
    const documents = clusteredDocuments(random, 3000, DIMENSIONS).map((d) => ({ ...d, vector }))
    await ingest(store, documents)
    const [exact] = await store.search([vector], 4, { exact: true })
    expect(exact?.hits.map(({ id }) => id)).toEqual(['d0', 'd1', 'd10', 'd100'])
    const [found] = await store.search([vector], 4)
    expect(found?.hits.map(({ score }) => score)).toEqual([1, 1, 1, 1])
    const [filtered] = await store.search([vector], 4, { filter: parseFilter({ n: { $gte: 2000 } }) })
    expect(filtered?.hits.map(({ id }) => id)).toEqual(['d2000', 'd2001', 'd2002', 'd2003'])
  })
})

describe('tombstones', () => {
  it('are bounded by a rebuild in the background that changes no answer', async () => {
    const random = new Random(14)
    const dataDir = await scratchFolder()
    const store = await openIn(dataDir, { tombstonesMin: 100, sliceMsMax: 1 })
    const documents = clusteredDocuments(random, 2000, DIMENSIONS)
    await ingest(store, documents)
    const queries = Array.from({ length: 30 }, () => random.unitVector(DIMENSIONS))
    await store.remove({ ids: documents.slice(0, 300).map(({ id }) => id) })
    expect(store.stats().tombstones).toBe(300)
    await ingest(store, documents.slice(1500))
    // More than a fifth is dead now. Writes during the rebuild reach both graphs.
    const late = clusteredDocuments(random, 200, DIMENSIONS).map((d) => ({ ...d, id: `late-${d.id}` }))
    await store.upsert(late.slice(0, 100))
    await store.remove({ ids: documents.slice(300, 340).map(({ id }) => id) })
    await store.upsert(late.slice(100))
    await expect
      .poll(() => store.notices.map(({ kind }) => kind), { timeout: 30_000 })
      .toContain('graph-built')
    expect(store.stats().documents).toBe(2000 - 340 + 200)
    expect(store.stats().tombstones).toBeLessThan(150)
    const check = async (target: EmbeddedStore) => {
      const truth = await target.search(queries, 10, { exact: true })
      const found = await target.search(queries, 10, { ef: 150 })
      expect(found.map(({ path }) => path)).toContain('hnsw')
      const ids = (results: typeof truth) => results.map(({ hits }) => hits.map(({ id }) => id))
      const flat = ids(truth).flatMap((list, i) => list.map((id) => ids(found)[i]?.includes(id)))
      expect(flat.filter(Boolean).length / flat.length).toBeGreaterThanOrEqual(0.95)
      const own = await target.search(
        late.map(({ vector }) => vector),
        1,
      )
      expect(own.filter(({ hits }, i) => hits[0]?.id === late[i]?.id).length).toBeGreaterThanOrEqual(195)
    }
    await check(store)
    await store.close()
    const again = await openIn(dataDir)
    expect(again.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
    await check(again)
  })

  it('of everything leave room for a new beginning', async () => {
    const store = await openIn(await scratchFolder(), { tombstonesMin: 10 })
    const documents = clusteredDocuments(new Random(15), 1200, DIMENSIONS)
    for (let round = 0; round < 3; round++) {
      await ingest(store, documents)
      expect(await store.remove({ filter: parseFilter({}) })).toEqual({ removed: 1200 })
      expect((await store.search([documents[0]?.vector as Float32Array], 3))[0]?.hits).toEqual([])
    }
    await ingest(store, documents)
    const [result] = await store.search([documents[5]?.vector as Float32Array], 3)
    expect(result?.hits).toHaveLength(3)
    expect(result?.hits[0]?.id).toBe('d5')
  })
})

describe('a queue that is full', () => {
  it('sends away what comes next, saying when to come back, and serves the rest', async () => {
    const store = await openIn(await scratchFolder(), { writesWaitingMax: 3, operationsWaitingMax: 6 })
    const documents = clusteredDocuments(new Random(16), 50, DIMENSIONS)
    const writes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, i) => store.upsert(documents.slice(i * 10, i * 10 + 10))),
    )
    expect(writes.map(({ status }) => status)).toEqual([
      ...Array(3).fill('fulfilled'),
      'rejected',
      'rejected',
    ])
    const reason = (writes[4] as PromiseRejectedResult).reason
    expect(reason).toMatchObject({ code: 'OVERLOADED', details: { limit: 3 } })
    expect(reason.details.retryAfterMs).toBeGreaterThanOrEqual(100)
    const reads = await Promise.allSettled(Array.from({ length: 8 }, () => store.count()))
    expect(reads.filter(({ status }) => status === 'rejected')).toHaveLength(2)
    expect(await store.count()).toBe(30)
    const many = Array.from({ length: 1001 }, () => documents[0] as VectorDocument)
    await expect(store.upsert(many)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(store.stats().waiting).toBe(0)
  })
})
