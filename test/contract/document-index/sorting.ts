import { expect } from 'vitest'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import type { Metadata } from '../../../src/index/json.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { parseSort, type WireSortKey } from '../../../src/retrieval/checks/parse-sort.ts'
import { type ContractTest, doc, X } from './bench.ts'

/** Ids of all pages of a sorted list; `between` runs after each page. */
async function walk(
  index: DocumentIndex,
  wire: WireSortKey[],
  { limit = 2, filter = {}, between = async (_seen: string[]) => {} } = {},
): Promise<string[]> {
  const seen: string[] = []
  const sort = parseSort(wire)
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await index.scan({
      limit,
      sort,
      fields: [],
      filter: parseFilter(filter),
      ...(cursor && { cursor }),
    })
    expect(page.documents.length).toBeLessThanOrEqual(limit)
    seen.push(...page.documents.map(({ id }) => id))
    cursor = page.nextCursor
    await between(seen)
  }
  return seen
}

const store = (index: DocumentIndex, documents: Record<string, Metadata>) =>
  index.upsert(Object.entries(documents).map(([id, metadata]) => doc(id, X, metadata)))

/** In which order documents are listed. */
export function sorting(contractTest: ContractTest): void {
  contractTest('sorts by a field either way, documents without it last', async ({ index }) => {
    await store(index, {
      old: { year: 1999 },
      none: {},
      new: { year: 2024 },
      text: { year: '2001' },
      also: { year: 2024 },
      mid: { year: 2001.5 },
      nothing: { year: null },
      yes: { year: true },
      no: { year: false },
      astral: { year: '\u{1f600}' },
      wide: { year: '\uff5e' },
      empty: { year: [] },
      object: { year: { of: 1 } },
    })
    const rising = ['old', 'mid', 'also', 'new', 'text', 'wide', 'astral', 'no', 'yes', 'nothing']
    const falling = ['nothing', 'yes', 'no', 'astral', 'wide', 'text', 'also', 'new', 'mid', 'old']
    const last = ['empty', 'none', 'object']
    for (const limit of [1, 2, 5, 13, 100]) {
      expect(await walk(index, ['year'], { limit })).toEqual([...rising, ...last])
      expect(await walk(index, ['-year'], { limit })).toEqual([...falling, ...last])
    }
    const { documents } = await index.scan({ limit: 1, sort: parseSort(['-year']) })
    expect(documents).toEqual([
      { id: 'nothing', text: 'text of nothing', title: 'title of nothing', metadata: { year: null } },
    ])
  })

  contractTest('sorts a list by its smallest value upwards, by its largest downwards', async ({ index }) => {
    await store(index, { a: { n: [5, 1] }, b: { n: 2 }, c: { n: [0, 'x'] }, d: { n: [{ m: 1 }, 3] } })
    for (const limit of [1, 3]) {
      expect(await walk(index, ['n'], { limit })).toEqual(['c', 'a', 'b', 'd'])
      expect(await walk(index, [{ field: 'n', order: 'desc' }], { limit })).toEqual(['c', 'a', 'd', 'b'])
    }
  })

  contractTest('sorts by several fields, under a filter', async ({ index }) => {
    const documents = Array.from({ length: 40 }, (_, i) => {
      const metadata = { group: i % 4, deep: { rank: (i * 7) % 5 }, ...(i % 3 > 0 && { extra: i % 2 === 0 }) }
      return [`d${String(i).padStart(2, '0')}`, metadata] as const
    })
    await store(index, Object.fromEntries(documents))
    const expected = documents
      .filter(([, { group }]) => group > 0)
      .sort(([a, x], [b, y]) => {
        const extra = (metadata: { extra?: boolean }) => Number(metadata.extra ?? 2)
        return (
          y.group - x.group ||
          x.deep.rank - y.deep.rank ||
          extra(x) - extra(y) ||
          Number(a > b) - Number(a < b)
        )
      })
      .map(([id]) => id)
    const filter = { group: { $gt: 0 } }
    for (const limit of [1, 7, 40]) {
      expect(await walk(index, ['-group', 'deep.rank', 'extra'], { limit, filter })).toEqual(expected)
    }
    expect(await walk(index, ['nowhere'], { filter })).toEqual([...expected].sort())
  })

  contractTest('goes on in the right place though documents come, go and change', async ({ index }) => {
    await store(index, { a: { n: 1 }, b: { n: 2 }, c: { n: 2 }, d: { n: 4 }, e: {} })
    let pages = 0
    const seen = await walk(index, ['n'], {
      limit: 1,
      between: async () => {
        pages++
        // After `b`: it goes, and what comes before and behind it comes.
        if (pages !== 2) return
        await index.remove({ ids: ['b'] })
        await store(index, { early: { n: 0 }, bb: { n: 2 }, late: { n: 3 }, a: { n: 1 } })
      },
    })
    expect(seen).toEqual(['a', 'b', 'bb', 'c', 'late', 'd', 'e'])
  })

  contractTest('takes a cursor only for the sort it was made for', async ({ index }) => {
    await store(index, { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } })
    const sort = parseSort(['n'])
    const { nextCursor: sorted } = await index.scan({ limit: 1, sort })
    const { nextCursor: plain } = await index.scan({ limit: 1 })
    const forged = [{ n: 1 }, 'x', [['x']]].map((value) =>
      Buffer.from(`2${JSON.stringify(['a', [[value]], [[['n'], 'asc']]])}`).toString('base64url'),
    )
    const foreign = [
      { cursor: sorted! },
      { cursor: plain!, sort },
      { cursor: sorted!, sort: parseSort(['-n']) },
      { cursor: sorted!, sort: parseSort(['n', 'm']) },
      { cursor: forged[0]!, sort },
      { cursor: forged[2]!, sort },
    ]
    for (const options of foreign) {
      await expect(index.scan({ limit: 1, ...options })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    }
    const page = await index.scan({ limit: 5, sort, cursor: sorted! })
    expect(page.documents.map(({ id }) => id)).toEqual(['b', 'c'])
    expect(page.nextCursor).toBeNull()
  })
}
