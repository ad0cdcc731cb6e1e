import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await openService({ textsPerRequestMax: 40, interactiveTextsMax: 4, ingestBatchDocuments: 8 })
})
afterAll(() => service.close())

const embed = (body: object) => service.http().post('/embed').send(body)
const LONG = 'word '.repeat(5000)

test('vectors have unit length, tokens are counted, phases are told', async () => {
  const { body, headers } = await embed({ texts: ['one', 'two words'], prompt: 'ebar' }).expect(200)
  expect(body).toMatchObject({ model: 'tiny-mha-paper', dimensions: 32, truncated: [] })
  expect(body.embeddings).toHaveLength(2)
  for (const row of body.embeddings) expect(Math.hypot(...row)).toBeCloseTo(1, 5)
  expect(body.usage.tokens).toBeGreaterThan(4)
  expect(headers['content-type']).toMatch(/^application\/json/)
  expect(headers['server-timing']).toContain('inference;dur=')
})

test('both prompts out of one pass equal each alone', async () => {
  const texts = ['the sky is blue']
  const both = await embed({ texts, prompt: 'both' }).expect(200)
  expect(both.body.embeddings).toBeUndefined()
  for (const prompt of ['ebar', 'ebae']) {
    const { body } = await embed({ texts, prompt })
    for (const [i, value] of body.embeddings[0].entries()) {
      expect(Math.abs(value - both.body[prompt][0][i])).toBeLessThan(1e-4)
    }
  }
})

test('float, base64 and int8 say the same', async () => {
  const ask = async (encoding_format: string) =>
    (await embed({ texts: ['blue'], prompt: 'ebae', encoding_format }).expect(200)).body.embeddings[0]
  const float: number[] = await ask('float')
  const bytes = Buffer.from(await ask('base64'), 'base64')
  const int8 = new Int8Array(Buffer.from(await ask('int8'), 'base64'))
  for (const [i, value] of float.entries()) {
    expect(Math.abs(bytes.readFloatLE(i * 4) - value)).toBeLessThan(1e-8)
    expect(Math.abs(int8[i]! / 127 - value)).toBeLessThan(0.0041)
  }
})

test('many texts go in windows and come back in order', async () => {
  const texts = Array.from({ length: 37 }, (_, i) => `text number ${i}`)
  texts[21] = LONG
  const { body } = await embed({ texts, prompt: 'ebae' }).expect(200)
  expect(body.embeddings).toHaveLength(37)
  expect(body.truncated).toEqual([21])
  for (const i of [0, 8, 22, 36]) {
    const alone = await embed({ texts: [texts[i]], prompt: 'ebae' })
    const cosine = body.embeddings[i].reduce(
      (sum: number, x: number, d: number) => sum + x * alone.body.embeddings[0][d],
      0,
    )
    expect(cosine).toBeGreaterThan(0.9999)
  }
})

test('truncate: error refuses what is too long', async () => {
  const { body } = await embed({ texts: ['a', LONG], prompt: 'ebar', truncate: 'error' }).expect(422)
  expect(body).toMatchObject({
    code: 'TEXT_TOO_LONG',
    details: { field: 'texts[1]', limit: expect.any(Number) },
  })
  const many = Array.from({ length: 30 }, (_, i) => (i === 19 ? LONG : `text ${i}`))
  const bulk = await embed({ texts: many, prompt: 'ebar', truncate: 'error' }).expect(422)
  expect(bulk.body.detail).toContain('texts[19] has more than')
})

test.each([
  [{ prompt: 'ebar' }, 422, 'lacks texts'],
  [{ texts: ['a'] }, 422, 'lacks prompt'],
  [{ texts: [], prompt: 'ebar' }, 422, 'texts'],
  [{ texts: ['a', ''], prompt: 'ebar' }, 422, 'texts[1] is empty'],
  [{ texts: ['a', 5], prompt: 'ebar' }, 422, 'texts[1] must be string'],
  [{ texts: ['a'], prompt: 'query' }, 422, 'one of ebar, ebae, both'],
  [{ texts: ['a'], prompt: 'ebar', encoding_format: 'hex' }, 422, 'one of float, base64, int8'],
  [{ texts: Array(41).fill('a'), prompt: 'ebar' }, 413, '40'],
])('%j is refused', async (body, status, hint) => {
  const answer = await embed(body).expect(status)
  expect(answer.body.detail).toContain(hint)
})
