import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { indexed } from './documents.ts'
import { clusteredDocuments, Random } from './random.ts'
import { countOf, DIMENSIONS, openIn, scratchFolder, searchVectors } from './scratch.ts'

describe('searches while documents are replaced', () => {
  it('give k hits, each of which matched, and never one twice', async () => {
    const random = new Random(21)
    // Slices as short as can be: every operation is interrupted again and again.
    const index = await openIn(await scratchFolder(), {
      sliceMsMax: 1,
      exactScoringMax: 100,
      hnswEf: 20,
      tombstonesMin: 200,
    })
    const documents = clusteredDocuments(random, 3000, DIMENSIONS)
    for (let i = 0; i < 3000; i += 1000) await index.upsert(documents.slice(i, i + 1000))
    let writing = true
    const writer = (async () => {
      for (let round = 1; round <= 4; round++) {
        const first = (round % 3) * 1000
        const part = clusteredDocuments(random, 3000, DIMENSIONS).slice(first, first + 300)
        const changed = part.map(({ document, passages }, i) => {
          const metadata = { tenth: (i + round) % 10 === 0, round, group: `g${(i + round) % 7}` }
          return indexed({ ...document, metadata }, passages[0]!.vector)
        })
        await index.upsert(changed)
      }
      writing = false
    })()
    const filters = [{ group: 'g3' }, { tenth: false }, { tenth: true, group: { $ne: 'g1' } }]
    let searches = 0
    while (writing) {
      for (const wire of filters) {
        const vectors = [random.unitVector(DIMENSIONS), random.unitVector(DIMENSIONS)]
        for (const { hits } of await searchVectors(index, vectors, 10, { filter: parseFilter(wire) })) {
          expect(new Set(hits.map(({ id }) => id)).size).toBe(10)
          for (const { document } of hits) {
            if (wire.group === 'g3') expect(document?.metadata?.['group']).toBe('g3')
            else expect(document?.metadata?.['tenth']).toBe(wire.tenth)
            if (wire.tenth) expect(document?.metadata?.['group']).not.toBe('g1')
          }
        }
      }
      for (const exact of [true, false]) {
        const [result] = await searchVectors(index, [random.unitVector(DIMENSIONS)], 10, {
          tuning: { exact },
        })
        expect(new Set(result?.hits.map(({ id }) => id)).size).toBe(10)
      }
      searches++
    }
    await writer
    expect(searches).toBeGreaterThan(3)
    expect(await countOf(index)).toBe(3000)
    const filter = parseFilter({ round: { $exists: true } })
    expect((await index.scan({ limit: 3000, filter })).documents).toHaveLength(900)
  })
})
