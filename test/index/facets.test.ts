import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { idsOf, named } from './documents.ts'
import { KEYS, Random, randomDocument } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder, searchVectors } from './scratch.ts'

const FILTERS = [undefined, {}, { a: { $exists: true } }, { b: { $ne: 1 } }, { a: { $gte: 0 } }, { c: null }]

describe('facets over SQL', () => {
  it('are exactly what the reference counts', async () => {
    const random = new Random(7)
    const index = await openIn(await scratchFolder())
    const oracle = new ExactIndex(DIMENSIONS)
    // So many that the index is read in order where no filter narrows it, and that documents are looked at where one does.
    const documents = Array.from({ length: 1200 }, (_, i) => randomDocument(random, `d${i}`, DIMENSIONS))
    for (const target of [index, oracle]) {
      await target.upsert(documents)
      await target.remove({ ids: idsOf(documents.slice(0, 100)) })
    }
    const names = KEYS.filter((key) => key !== '')
    const paths = [...names.map((name) => [name]), ...names.map((name) => ['a', name])]
    for (const wire of FILTERS) {
      const filter = wire && { filter: parseFilter(wire) }
      for (const limit of [2, 1000]) {
        const found = await index.facets(paths, { limit, ...filter })
        expect(found, JSON.stringify(wire)).toEqual(await oracle.facets(paths, { limit, ...filter }))
        expect(found.filter(({ distinct }) => distinct > 0).length).toBeGreaterThan(5)
      }
    }
  })

  it('keep no more values than are asked for, and let searches in between', async () => {
    const random = new Random(8)
    const index = await openIn(await scratchFolder(), { sliceMsMax: 1, hnswM: 2, hnswEfConstruction: 8 })
    const vectors = Array.from({ length: 100 }, () => random.unitVector(DIMENSIONS))
    for (let batch = 0; batch < 3; batch++) {
      const documents = Array.from({ length: 2000 }, (_, i) =>
        named(`${batch}-${i}`, vectors[i % 100]!, { unique: batch * 2000 + i, few: i % 7 }),
      )
      await index.upsert(documents)
    }
    let counted = false
    const facets = index.facets([['unique'], ['few'], ['unique'], ['few']], { limit: 3 }).then((found) => {
      counted = true
      return found
    })
    await searchVectors(index, [vectors[0]!], 1)
    expect(counted).toBe(false)
    const [unique, few] = await facets
    expect(unique).toMatchObject({ distinct: 6000, numbers: { min: 0, max: 5999 } })
    expect(unique?.values.map(({ value }) => value)).toEqual([0, 1, 2])
    expect(few?.values).toHaveLength(3)
  })
})
