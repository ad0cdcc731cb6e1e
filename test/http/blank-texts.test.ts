import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService()
})
afterAll(() => service.close())

const BLANK = [
  '',
  ' \n\t\r\u00a0\u3000\u2028\u0085',
  '\u200b',
  '\u00ad',
  '\u2060',
  '\ufe0f',
  '\u0001',
  '\u0000\u007f\u009f',
  '\u200e\u200f\u202e\u2066',
  '\ufeff',
  '\u3164',
  '\u115f\u1160\uffa0',
  '\u034f\u061c\u180e',
  '\u2800',
  '\u{e0001}\u{e0061}\u{e007f}',
  '\u{1d173}',
  ' \u200b \u2060\n',
]
const VISIBLE = ['a', '\u200ba\u200b', '.', '\u0301', '漢', '🌊', '\u{1f468}\u200d\u{1f469}']

/** Every place that takes a text, with the name that its fault gets. */
const PLACES: [string, string, (text: string) => object][] = [
  ['/documents', 'documents[1].text', (text) => ({ documents: [{ text: 'a' }, { text }] })],
  ['/search', 'query', (query) => ({ query })],
  ['/embed', 'texts[1]', (text) => ({ texts: ['a', text], prompt: 'ebar' })],
  ['/v1/embeddings', 'input', (input) => ({ input, model: `${service.encoder.card.id}:query` })],
]

test.each(PLACES)('%s: %s', async (path, field, body) => {
  for (const text of BLANK) {
    const answer = await service.http().post(path).send(body(text))
    expect({ text, status: answer.status, code: answer.body.code }).toEqual({
      text,
      status: 422,
      code: 'INVALID_INPUT',
    })
    expect(answer.body.detail).toContain(field)
  }
  for (const text of VISIBLE) await service.http().post(path).send(body(text)).expect(200)
})

test('one of several queries is a fault of its own', async () => {
  for (const text of BLANK) {
    const { body } = await service
      .http()
      .post('/search')
      .send({ queries: ['a', text] })
      .expect(200)
    expect(body.batches[1].error).toEqual({
      code: 'INVALID_INPUT',
      detail: expect.stringContaining('queries[1]'),
    })
  }
})

test('a line of them is a fault, and the lines around it are stored', async () => {
  const lines = ['x', ...BLANK, 'y'].map((text) => JSON.stringify({ text })).join('\n')
  const { body } = await service
    .http()
    .post('/documents')
    .type('application/x-ndjson')
    .send(lines)
    .expect(200)
  expect(body).toMatchObject({ created: 2, failed: BLANK.length, lines: BLANK.length + 2 })
})

test('a title is empty, which is none, or has something to see', async () => {
  const post = (title: string) =>
    service
      .http()
      .post('/documents')
      .send({ documents: [{ text: 'a', title }] })
  await post('').expect(200)
  for (const title of BLANK.slice(1)) await post(title).expect(422)
  for (const title of VISIBLE) await post(title).expect(200)
})
