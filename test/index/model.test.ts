import { describe, expect, it } from 'vitest'
import type { Hit } from '../../src/index/document-index.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { Random, randomLongDocument, randomMetadata } from './random.ts'
import { countOf, crash, DIMENSIONS, openIn, scratchFolder, searchVectors } from './scratch.ts'

const FILTERS = [
  {},
  { a: { $exists: true } },
  { b: { $ne: 1 } },
  { $or: [{ a: { $gte: 0 } }, { c: 'a' }] },
  { 'a.b': { $exists: false }, constructor: { $exists: false } },
].map((wire) => parseFilter(wire))

/** Small thresholds, so that walks, rebuilds and snapshots happen in a test of this size. */
const SMALL = { hnswEf: 10, exactScoringMax: 30, tombstonesMin: 20, snapshotChangesMin: 60, sliceMsMax: 1 }

describe('the embedded index under random operations', () => {
  it.each([1, 2])('answers as the exact index does, through restarts and crashes (seed %i)', async (seed) => {
    const random = new Random(seed)
    let dataDir = await scratchFolder()
    const oracle = new ExactIndex(DIMENSIONS)
    let index = await openIn(dataDir, SMALL)
    const names = Array.from({ length: 400 }, (_, i) => `d${i}`)
    const some = (n: number) => Array.from({ length: random.below(n) }, () => random.pick(names))
    const paths = { hnsw: 0, exact: 0 }

    const operations: [number, () => Promise<void>][] = [
      [
        0.35,
        async () => {
          const documents = some(40).map((id) => randomLongDocument(random, id, DIMENSIONS))
          expect(await index.upsert(documents)).toEqual(await oracle.upsert(documents))
        },
      ],
      [
        0.45,
        async () => {
          const ids = some(15)
          expect(await index.remove({ ids })).toEqual(await oracle.remove({ ids }))
        },
      ],
      [
        0.47,
        async () => {
          const filter = parseFilter({ a: { $in: ['a', 1, null] } })
          expect(await index.remove({ filter })).toEqual(await oracle.remove({ filter }))
        },
      ],
      [
        0.51,
        async () => {
          const filter = parseFilter({ b: { $in: ['a', 1, null, true] } })
          const merge = { ...randomMetadata(random), patched: random.below(5) }
          const patch = { merge, bytesMax: 10_000, valuesMax: 1000 }
          expect(await index.patch({ filter }, patch)).toEqual(await oracle.patch({ filter }, patch))
        },
      ],
      [
        0.56,
        async () => {
          await index.close()
          index = await openIn(dataDir, SMALL)
        },
      ],
      [
        0.59,
        async () => {
          dataDir = await crash(index, dataDir)
          index = await openIn(dataDir, SMALL)
        },
      ],
      [
        0.68,
        async () => {
          const ids = some(10)
          expect(await index.get(ids)).toEqual(await oracle.get(ids))
          expect(await index.passages(ids)).toEqual(await oracle.passages(ids))
          const filter = random.pick(FILTERS)
          expect(await index.scan({ limit: 50, filter })).toEqual(await oracle.scan({ limit: 50, filter }))
        },
      ],
      [
        1,
        async () => {
          const vectors = [random.unitVector(DIMENSIONS), random.unitVector(DIMENSIONS)]
          const k = 1 + random.below(12)
          const options = random.next() < 0.5 ? {} : { filter: random.pick(FILTERS) }
          const expected = await searchVectors(oracle, vectors, k, options)
          expect(
            hitsOf(await searchVectors(index, vectors, k, { ...options, tuning: { exact: true } })),
          ).toEqual(hitsOf(expected))
          const found = await searchVectors(index, vectors, k, options)
          for (const [i, { hits, path }] of found.entries()) {
            paths[path === 'exact' ? 'exact' : 'hnsw']++
            const best = expected[i]?.hits ?? []
            expect(hits).toHaveLength(best.length)
            // A walk may miss a neighbour, but what it gives is true, ordered, and never better than the best.
            for (const [rank, hit] of hits.entries()) {
              expect(hit.score).toBeLessThanOrEqual(best[rank]?.score ?? -2)
              expect({ id: hit.id, ...hit.document }).toEqual((await oracle.get([hit.id]))[0])
            }
            if (path === 'exact') expect(hits).toEqual(best)
          }
        },
      ],
    ]
    for (let i = 0; i < 110; i++) {
      const dice = random.next()
      await operations.find(([below]) => dice < below)?.[1]()
    }
    expect(paths.hnsw).toBeGreaterThan(10)
    expect(paths.exact).toBeGreaterThan(10)
    const all = await index.scan({ limit: 1000 })
    expect(all).toEqual(await oracle.scan({ limit: 1000 }))
    expect(await countOf(index)).toBe(all.documents.length)
  })
})

function hitsOf(results: { hits: Hit[] }[]): Hit[][] {
  return results.map(({ hits }) => hits)
}
