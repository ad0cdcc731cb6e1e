import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({ sortFieldsMax: 2 })
  const documents = Array.from({ length: 12 }, (_, i) => ({
    id: `d${String(i).padStart(2, '0')}`,
    text: `document number ${i}`,
    metadata: i === 5 ? {} : { year: 2000 + (i % 3), author: { name: `n${(i * 5) % 7}` }, '-odd': i % 2 },
  }))
  await service.http().post('/documents').send({ documents }).expect(200)
})
afterAll(() => service.close())

const query = (body: object) => service.http().post('/documents/query').send(body)

async function walk(body: object): Promise<number[]> {
  const seen: number[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await query({ ...body, limit: 5, include: [], ...(cursor && { cursor }) }).expect(200)
    for (const { id } of page.body.documents) seen.push(Number(id.slice(1)))
    cursor = page.body.next_cursor
  }
  return seen
}

test('lists are sorted by fields, in short and in long form', async () => {
  const byYear = [2, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9, 5]
  expect(await walk({ sort: ['-year'] })).toEqual(byYear)
  expect(await walk({ sort: [{ field: 'year', order: 'desc' }] })).toEqual(byYear)
  expect(await walk({ sort: ['-year', { field: 'author.name' }] })).toEqual(byYear.toSorted(byYearAndName))
})

/** By year, largest first, then by name; the one without either is last. */
function byYearAndName(a: number, b: number): number {
  if (a === 5 || b === 5) return a === 5 ? 1 : -1
  return (b % 3) - (a % 3) || ((a * 5) % 7) - ((b * 5) % 7) || a - b
}

test('a filter narrows a sorted list, and a name may begin with a dash', async () => {
  expect(
    await walk({ sort: [{ field: '-odd', order: 'desc' }, 'year'], filter: { year: { $lt: 2002 } } }),
  ).toEqual([3, 9, 1, 7, 0, 6, 4, 10])
})

test('a cursor goes on with its own sort only', async () => {
  const { body } = await query({ sort: ['year'], limit: 3 }).expect(200)
  const { next_cursor: cursor } = body
  for (const sort of [undefined, ['-year'], ['year', 'author']]) {
    const refused = await query({ cursor, sort }).expect(422)
    expect(refused.body.details.field).toBe('cursor')
  }
  await query({ cursor, sort: [{ field: 'year', order: 'asc' }] }).expect(200)
})

test.each([
  [{ sort: 'year' }, 422, 'sort', 'array'],
  [{ sort: [5] }, 422, 'sort[0]', 'string'],
  [{ sort: ['a', '-'] }, 422, 'sort[1]', 'empty part'],
  [{ sort: [{ field: 'a', order: 'up' }] }, 422, 'sort[0].order', 'one of asc, desc'],
  [{ sort: [{ order: 'asc' }] }, 422, 'sort[0]', 'lacks field'],
  [{ sort: [{ field: 'a..b' }] }, 422, 'sort[0].field', 'empty part'],
  [{ sort: ['a', 'b', 'c'] }, 413, 'sort', 'more than 2'],
])('%j is refused', async (body, status, field, hint) => {
  const answer = await query(body).expect(status)
  expect(answer.body.details.field).toContain(field)
  expect(answer.body.detail).toContain(hint)
})
