import { afterAll, beforeAll, expect, test } from 'vitest'
import { openService, type Service } from './service.ts'

const MODEL = 'tiny-mha-paper'
let service: Service
beforeAll(async () => {
  service = await openService({ textsPerRequestMax: 3 })
})
afterAll(() => service.close())

const embeddings = (body: object) => service.http().post('/v1/embeddings').send(body)

test("one text and several, in OpenAI's shape", async () => {
  const one = await embeddings({ model: MODEL, input: 'blue', input_type: 'document' }).expect(200)
  expect(one.body).toMatchObject({ object: 'list', model: MODEL })
  expect(one.body.data).toMatchObject([{ object: 'embedding', index: 0 }])
  expect(one.body.data[0].embedding).toHaveLength(32)
  expect(one.body.usage.prompt_tokens).toBe(one.body.usage.total_tokens)
  const two = await embeddings({ model: MODEL, input: ['green', 'blue'], input_type: 'document' }).expect(200)
  expect(two.body.data.map(({ index }: { index: number }) => index)).toEqual([0, 1])
})

test('query and document take the two prompts of /embed', async () => {
  for (const [type, prompt] of [
    ['query', 'ebar'],
    ['document', 'ebae'],
  ]) {
    const named = await embeddings({ model: MODEL, input: 'blue', input_type: type }).expect(200)
    const suffixed = await embeddings({ model: `${MODEL}:${type}`, input: 'blue' }).expect(200)
    const own = await service
      .http()
      .post('/embed')
      .send({ texts: ['blue'], prompt })
    expect(named.body.data[0].embedding).toEqual(own.body.embeddings[0])
    expect(suffixed.body.data[0].embedding).toEqual(own.body.embeddings[0])
  }
})

test('base64 is little-endian float32', async () => {
  const body = { model: MODEL, input: 'blue', input_type: 'query' }
  const float = await embeddings(body)
  const base64 = await embeddings({ ...body, encoding_format: 'base64', dimensions: 32, user: 'u' }).expect(
    200,
  )
  const bytes = Buffer.from(base64.body.data[0].embedding, 'base64')
  expect(bytes.readFloatLE(0)).toBeCloseTo(float.body.data[0].embedding[0], 7)
})

test('a text over the model limit is cut, and told', async () => {
  const input = ['blue', 'word '.repeat(2000)]
  const { body } = await embeddings({ model: MODEL, input, input_type: 'document' }).expect(200)
  expect(body.truncated).toEqual([1])
})

test.each([
  [{ input: 'a' }, 422, 'input_type "query" or "document"'],
  [{ input: 'a', model: `${MODEL}:query`, input_type: 'document' }, 422, 'differ; send one of them'],
  [{ input: 'a', model: 'text-embedding-3-small', input_type: 'query' }, 404, `serves ${MODEL}`],
  [{ input: 'a', model: `${MODEL}:poem` }, 404, `serves ${MODEL}`],
  [{ input: [1, 2, 3], input_type: 'query' }, 422, 'Token ids cannot be used'],
  [{ input: [[1, 2]], input_type: 'query' }, 422, 'Token ids cannot be used'],
  [{ input: [], input_type: 'query' }, 422, 'input is empty'],
  [{ input: '', input_type: 'query' }, 422, 'input[0] is empty'],
  [{ input: 7, input_type: 'query' }, 422, 'input must be'],
  [{ input: ['a', 'b', 'c', 'd'], input_type: 'query' }, 413, 'more than 3 items'],
  [{ input: 'a', input_type: 'query', dimensions: 16 }, 422, 'dimensions must be 32'],
  [{ input: 'a', input_type: 'passage' }, 422, 'one of query, document'],
])('%j is refused with %i', async (body, status, hint) => {
  const answer = await embeddings({ model: MODEL, ...body }).expect(status)
  expect(answer.body.detail).toContain(hint)
})
