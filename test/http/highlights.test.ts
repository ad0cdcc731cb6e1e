import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

const LONG = `${'Filler stands here for a while. '.repeat(12)}The sky is <b>blue</b> & the sea is blue. ${'More of it follows. '.repeat(12)}A 😀 blue end.`
const DOCUMENTS = [
  { id: 'long', title: 'Blue 😀 sky', text: LONG, metadata: { n: 1 } },
  { id: 'other', title: null, text: 'grass is green', metadata: { n: 2 } },
]

let service: Service
beforeAll(async () => {
  service = await openService()
  await service.http().post('/documents').send({ documents: DOCUMENTS }).expect(200)
})
afterAll(() => service.close())

const search = (body: object) => service.http().post('/search').send(body)
interface Spans {
  start: number
  end: number
  start_utf16: number
  end_utf16: number
}

test.each(['dense', 'lexical', 'hybrid'])('highlights say where the words stand, mode %s', async (mode) => {
  const { body } = await search({ query: 'BLUE sky?', mode, highlight: true }).expect(200)
  const [{ highlights, text }] = body.results.filter(({ id }: { id: string }) => id === 'long')
  expect(text).toBe(LONG)
  expect(highlights.title).toEqual([
    { start: 0, end: 4, start_utf16: 0, end_utf16: 4 },
    { start: 7, end: 10, start_utf16: 8, end_utf16: 11 },
  ])
  const words = highlights.text.map((span: Spans) => LONG.slice(span.start_utf16, span.end_utf16))
  expect(words).toEqual(['sky', 'blue', 'blue', 'blue'])
  const points = [...LONG]
  const counted = highlights.text.map(({ start, end }: Spans) => points.slice(start, end).join(''))
  expect(counted).toEqual(words)
  expect(highlights.fragments).toEqual([
    expect.stringMatching(
      /^….*The <mark>sky<\/mark> is &lt;b&gt;<mark>blue<\/mark>&lt;\/b&gt; &amp; the sea is <mark>blue<\/mark>\..*…$/s,
    ),
    expect.stringMatching(/^….*A 😀 <mark>blue<\/mark> end\.$/s),
  ])
  const [none] = body.results.filter(({ id }: { id: string }) => id === 'other')
  expect(none?.highlights ?? { title: [], text: [], fragments: [] }).toEqual({
    title: [],
    text: [],
    fragments: [],
  })
})

test('fields that are not asked for are highlighted, and left out', async () => {
  const { body } = await search({ queries: ['green', 'sea'], highlight: true, include: ['metadata'] }).expect(
    200,
  )
  for (const [i, id, word] of [
    [0, 'other', 'green'],
    [1, 'long', 'sea'],
  ] as const) {
    const hit = body.batches[i].find((found: { id: string }) => found.id === id)
    expect(Object.keys(hit).sort()).toEqual(['highlights', 'id', 'legs', 'metadata', 'score'])
    expect(hit.highlights.fragments[0]).toContain(`<mark>${word}</mark>`)
  }
})

test('without highlight there are none', async () => {
  const { body } = await search({ query: 'blue' }).expect(200)
  expect(body.results[0]).not.toHaveProperty('highlights')
})

test('what has no words is refused', async () => {
  const { body } = await search({ like: 'long', highlight: true }).expect(422)
  expect(body.code).toBe('INVALID_INPUT')
  expect(body.detail).toContain('highlight marks the words')
})
