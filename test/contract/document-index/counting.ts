import { expect } from 'vitest'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { type ContractTest, doc, X } from './bench.ts'

/** How documents are counted by what a field holds. */
export function counting(contractTest: ContractTest): void {
  contractTest('counts documents by the values of a field', async ({ index }) => {
    await index.upsert([
      doc('a', X, { year: 2021, tags: ['space', 'light', 'space'], by: [{ name: 'Ito' }, { name: 'Wu' }] }),
      doc('b', X, { year: 2021, tags: 'space', by: { name: 'Ito' } }),
      doc('c', X, { year: 1999, tags: [] }),
      doc('d', X, { year: '2021', tags: [null, true, false, 7, { no: 'scalar' }] }),
      doc('gone', X, { year: 1000 }),
    ])
    await index.remove({ ids: ['gone'] })
    const paths = [['year'], ['tags'], ['by', 'name'], ['nothing']]
    expect(await index.facets(paths, { limit: 10 })).toEqual([
      {
        values: [
          { value: 2021, count: 2 },
          { value: 1999, count: 1 },
          { value: '2021', count: 1 },
        ],
        distinct: 3,
        numbers: { min: 1999, max: 2021 },
      },
      {
        values: [
          { value: 'space', count: 2 },
          { value: 7, count: 1 },
          { value: 'light', count: 1 },
          { value: false, count: 1 },
          { value: true, count: 1 },
          { value: null, count: 1 },
        ],
        distinct: 6,
        numbers: { min: 7, max: 7 },
      },
      {
        values: [
          { value: 'Ito', count: 2 },
          { value: 'Wu', count: 1 },
        ],
        distinct: 2,
      },
      { values: [], distinct: 0 },
    ])
  })

  contractTest('counts only what matches, and gives the most frequent values', async ({ index }) => {
    await index.upsert(
      Array.from({ length: 60 }, (_, i) => doc(`d${i}`, X, { n: i, third: i % 3, odd: i % 2 === 1 })),
    )
    const filter = parseFilter({ odd: true, n: { $lt: 50 } })
    const [third, n] = await index.facets([['third'], ['n']], { filter, limit: 2 })
    expect(third).toEqual({
      values: [
        { value: 1, count: 9 },
        { value: 0, count: 8 },
      ],
      distinct: 3,
      numbers: { min: 0, max: 2 },
    })
    expect(n).toEqual({
      values: [
        { value: 1, count: 1 },
        { value: 3, count: 1 },
      ],
      distinct: 25,
      numbers: { min: 1, max: 49 },
    })
    expect(await index.facets([['n']], { filter: parseFilter({ n: -1 }), limit: 2 })).toEqual([
      { values: [], distinct: 0 },
    ])
  })
}
