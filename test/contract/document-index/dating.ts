import { expect } from 'vitest'
import { DateFields } from '../../../src/index/metadata/dates.ts'
import { parseFilter as parse } from '../../../src/retrieval/checks/parse-filter.ts'
import { parseSort } from '../../../src/retrieval/checks/parse-sort.ts'
import { CONTRACT_SETTINGS, type ContractTest, doc, X } from './bench.ts'

const DATES = new DateFields(CONTRACT_SETTINGS.dates)
const parseFilter = (wire: unknown) => parse(wire, DATES)

/** How dates compare in the fields that are declared for them. */
export function dating(contractTest: ContractTest): void {
  contractTest('compares dates as instants, and gives them back as written', async (bench) => {
    const { index } = bench
    await index.upsert([
      doc('berlin', X, { published: '2024-03-31T02:30:00.5+01:00' }),
      doc('day', X, { published: '2024-03-31' }),
      doc('london', X, { published: '2024-03-31T01:30:00.50Z', other: '2024-03-31' }),
      doc('late', X, { published: ['2024-04-01T00:00:00-12:00', '1999-12-31T23:59:59.999999999Z'] }),
      doc('number', X, { published: 2024 }),
      doc('events', X, { events: [{ at: '2024-03-31T00:00:00Z' }, { at: '2030-01-01' }] }),
    ])
    const cases: [unknown, string[]][] = [
      [{ published: '2024-03-31t01:30:00.5z' }, ['berlin', 'london']],
      [{ published: { $in: ['2024-03-31T00:00:00+00:00', '2024-04-01T12:00:00Z'] } }, ['day', 'late']],
      [{ published: { $gt: '2024-03-31T01:00:00Z' } }, ['berlin', 'late', 'london']],
      [
        { published: { $gte: '2024-03-31', $lt: '2024-03-31T01:30:00.500000001Z' } },
        ['berlin', 'day', 'london'],
      ],
      [{ published: { $lt: '2000-01-01' } }, ['late']],
      [{ published: { $gte: 2000 } }, ['number']],
      [{ published: { $ne: '2024-03-31T00:00:00Z' } }, ['berlin', 'events', 'late', 'london', 'number']],
      [{ 'events.at': { $gt: '2029-12-31T23:59:59Z' } }, ['events']],
      [{ other: '2024-03-31' }, ['london']],
      [{ other: { $gt: '2024' } }, ['london']],
    ]
    for (const [wire, expected] of cases) {
      expect((await bench.ids(X, 10, { filter: parseFilter(wire) })).sort(), JSON.stringify(wire)).toEqual(
        expected,
      )
    }
    const sorted = await index.scan({ limit: 10, sort: parseSort(['published']), fields: ['metadata'] })
    expect(sorted.documents.map(({ id }) => id)).toEqual([
      'number',
      'late',
      'day',
      'berlin',
      'london',
      'events',
    ])
    expect(sorted.documents[3]?.metadata).toEqual({ published: '2024-03-31T02:30:00.5+01:00' })
    const { nextCursor } = await index.scan({ limit: 4, sort: parseSort(['-published']) })
    const rest = await index.scan({ limit: 4, sort: parseSort(['-published']), cursor: nextCursor! })
    expect(rest.documents.map(({ id }) => id)).toEqual(['number', 'events'])
  })

  contractTest('counts dates by their instants', async ({ index }) => {
    await index.upsert([
      doc('a', X, { published: '2024-03-31T02:00:00+02:00' }),
      doc('b', X, { published: '2024-03-31' }),
      doc('c', X, { published: ['2023-01-01T00:00:00.250Z', 7] }),
    ])
    const [facet] = await index.facets([['published']], { limit: 10 })
    expect(facet).toEqual({
      values: [
        { value: '2024-03-31T00:00:00Z', count: 2 },
        { value: 7, count: 1 },
        { value: '2023-01-01T00:00:00.25Z', count: 1 },
      ],
      distinct: 3,
      numbers: { min: 7, max: 7 },
      dates: { min: '2023-01-01T00:00:00.25Z', max: '2024-03-31T00:00:00Z' },
    })
    await index.patch(
      { filter: parseFilter({ published: '2024-03-31' }) },
      { merge: { published: '2025-01-01' }, bytesMax: 1000, valuesMax: 10 },
    )
    expect(await index.count({ filter: parseFilter({ published: '2025-01-01T00:00:00Z' }) })).toBe(2)
  })

  contractTest('takes no string for a date that is none', async ({ index }) => {
    // Retrieval lets none in; an index that meets one all the same does not compare it.
    await index.upsert([
      doc('odd', X, { published: 'spring 2024' }),
      doc('even', X, { published: '2024-04-01' }),
    ])
    expect(await index.count({ filter: parseFilter({ published: { $gte: '0000-01-01' } }) })).toBe(1)
    expect(await index.count({ filter: parseFilter({ published: { $exists: true } }) })).toBe(2)
    expect((await index.get(['odd']))[0]?.metadata).toEqual({ published: 'spring 2024' })
    for (const wire of ['spring', '2024-04-31', { $gt: '2024' }, { $in: ['2024-04-01', ''] }]) {
      expect(() => parseFilter({ published: wire })).toThrow(
        expect.objectContaining({ code: 'INVALID_INPUT' }),
      )
    }
  })
}
