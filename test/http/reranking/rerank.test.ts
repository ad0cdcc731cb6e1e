import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openOnnxReranker } from '../../../src/reranker/onnx/onnx-reranker.ts'
import type { Reranker } from '../../../src/reranker/reranker.ts'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { COLOURS, openService, type Service } from '../service.ts'

const QUERY = 'what colour is the sky'
const TEXTS = ['the sky is blue', 'grass is green and grows', 'bread', 'the sea is blue and deep']
let service: Service
/** The same model, asked directly. */
let reference: Reranker
beforeAll(async () => {
  service = await openService({ rerankDocumentsMax: 80, rerankTopNMax: 70 }, undefined, tinyReranker())
  reference = await openOnnxReranker({ modelFolder: await tinyReranker(), device: 'cpu' })
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
})
afterAll(async () => {
  await service.close()
  await reference.close()
})

const post = (path: string, body: object) => service.http().post(path).send(body)
const rerank = (body: object) => post('/rerank', { query: QUERY, ...body })

/** What an answer must hold: index and score, best first. */
async function expected(texts: string[], query = QUERY) {
  const { scores } = await reference.score(query, texts)
  return [...scores].map((score, index) => ({ index, score })).sort((a, b) => b.score - a.score)
}

describe('POST /rerank', () => {
  test('texts come best first, each with the score that the model gives it', async () => {
    const { body, headers } = await rerank({ documents: TEXTS }).expect(200)
    const { tokens } = await reference.score(QUERY, TEXTS)
    const results = await expected(TEXTS)
    expect(new Set(results.map(({ score }) => score)).size).toBe(TEXTS.length)
    expect(body).toEqual({
      model: 'tiny-reranker',
      results: results.map(({ index, score }) => ({ index, score: expect.closeTo(score, 4) })),
      usage: { tokens: tokens.reduce((a, b) => a + b) },
      truncated: [],
      query_truncated: false,
      timings_ms: {
        tokenize: expect.any(Number),
        queue: expect.any(Number),
        inference: expect.any(Number),
        total: expect.any(Number),
      },
    })
    expect(headers['server-timing']).toMatch(/inference;dur=/)
  })

  test('a title is read before its text; ids and the fields asked for come back', async () => {
    const documents = [
      { id: 'a', title: 'Sky', text: 'it is blue' },
      { title: null, text: 'grass' },
    ]
    const { body } = await rerank({ documents, include: ['text', 'title'] }).expect(200)
    const results = await expected(['Sky it is blue', 'grass'])
    const shown = [
      { id: 'a', title: 'Sky', text: 'it is blue' },
      { title: null, text: 'grass' },
    ]
    expect(body.results).toEqual(
      results.map(({ index, score }) => ({ index, score: expect.closeTo(score, 4), ...shown[index] })),
    )
  })

  test('ids stand for documents of the collection, by title and text', async () => {
    const ids = ['sea', 'sky', 'grass']
    const { body } = await rerank({ ids, include: ['metadata'] }).expect(200)
    const results = await expected([
      'Sea the sea is blue and deep',
      'Sky the sky is blue',
      'grass is green and grows',
    ])
    const metadata = (id: string) => COLOURS.find((colour) => colour.id === id)?.metadata
    expect(body.results).toEqual(
      results.map(({ index, score }) => {
        const id = ids[index]!
        return { index, id, score: expect.closeTo(score, 4), metadata: metadata(id) }
      }),
    )
    expect(body.timings_ms.documents).toBeGreaterThan(0)
    const named = await post('/collections/default/rerank', { query: QUERY, ids }).expect(200)
    expect(named.body.results.map(({ id }: { id: string }) => id)).toEqual(
      body.results.map(({ id }: { id: string }) => id),
    )
  })

  test('ids without a document are named', async () => {
    const { body } = await rerank({ ids: ['sky', 'nobody', 'no one', 'nobody'] }).expect(404)
    expect(body).toMatchObject({ code: 'NOT_FOUND', details: { field: 'ids', ids: ['nobody', 'no one'] } })
  })

  test('top_n cuts the list; more texts than one call holds are scored all the same', async () => {
    const texts = Array.from({ length: 75 }, (_, i) => `the sky number ${i}`)
    const results = await expected(texts)
    const few = await rerank({ documents: texts.slice(0, 70), top_n: 2 }).expect(200)
    expect(few.body.results).toHaveLength(2)
    const { body } = await rerank({ documents: texts, top_n: 100 }).expect(200)
    expect(body.results.map(({ score }: { score: number }) => score)).toEqual(
      results.map(({ score }) => expect.closeTo(score, 4)),
    )
    expect(new Set(body.results.map(({ index }: { index: number }) => index)).size).toBe(75)
  })

  test('what is cut is said, and does not change the score of the rest', async () => {
    const long = 'blue sky '.repeat(400)
    const { body } = await rerank({ documents: ['sky', long], query: 'sky '.repeat(300) }).expect(200)
    expect(body).toMatchObject({ truncated: [1], query_truncated: true })
    const longer = await rerank({ documents: ['sky', long.repeat(8)], query: 'sky '.repeat(300) })
    expect(longer.body.results).toEqual(body.results)
  })

  test.each([
    [{}, 422, 'exactly one of documents, ids'],
    [{ documents: ['a'], ids: ['sky'] }, 422, 'exactly one'],
    [{ documents: [] }, 422, 'documents'],
    [{ documents: [''] }, 422, 'documents[0] is empty'],
    [{ documents: [{ text: 'a', title: '\ud800' }] }, 422, 'documents[0].title'],
    [{ documents: [{ title: 'a' }] }, 422, 'documents[0] lacks text'],
    [{ documents: [{ text: 'a', colour: 'blue' }] }, 422, 'unknown fields: colour'],
    [{ documents: [1] }, 422, 'documents[0]'],
    [{ documents: ['a'], query: ' ' }, 422, 'query is empty'],
    [{ documents: ['a'], query: 'long '.repeat(2000) }, 413, 'QUERY_BYTES_MAX'],
    [{ documents: ['a'], top_n: 0 }, 422, 'top_n'],
    [{ documents: ['a'], model: 'other' }, 404, 'is tiny-reranker'],
    [{ documents: new Array(81).fill('a') }, 413, 'documents has more than 80 items'],
    [{ ids: ['a\u0000'] }, 422, 'ids[0]'],
  ])('%j is refused', async (body, status, words) => {
    const answer = await rerank(body).expect(status)
    expect(answer.body.detail).toContain(words)
  })
})

describe.each([
  ['1', true],
  ['2', false],
])('POST /v%s/rerank', (version, returnsDocuments) => {
  const path = `/v${version}/rerank`

  test('speaks the shape of Cohere’s and Jina’s clients', async () => {
    const documents = [TEXTS[0]!, { text: TEXTS[1]!, other: 'ignored' }, TEXTS[2]!]
    const asked = { model: 'tiny-reranker', query: QUERY, documents, top_n: 2, rank_fields: ['text'] }
    const { body, headers } = await post(path, asked).expect(200)
    const best = (await expected(TEXTS.slice(0, 3))).slice(0, 2)
    expect(body).toEqual({
      id: headers['x-request-id'],
      model: 'tiny-reranker',
      results: best.map(({ index, score }) => ({
        index,
        relevance_score: expect.closeTo(1 / (1 + Math.exp(-score)), 4),
        ...(returnsDocuments && { document: { text: TEXTS[index] } }),
      })),
      meta: { api_version: { version }, tokens: { input_tokens: expect.any(Number) } },
      usage: {
        prompt_tokens: body.meta.tokens.input_tokens,
        total_tokens: body.meta.tokens.input_tokens,
      },
    })
  })

  test('return_documents is honoured either way; what is cut is a warning', async () => {
    const documents = ['sky '.repeat(300)]
    const bare = await post(path, { query: QUERY, documents, return_documents: false }).expect(200)
    expect(bare.body.results[0]).not.toHaveProperty('document')
    const whole = await post(path, { query: QUERY, documents, return_documents: true }).expect(200)
    expect(whole.body.results[0].document).toEqual({ text: documents[0] })
    expect(whole.body.meta.warnings).toEqual([expect.stringContaining('first has index 0')])
  })

  test.each([
    [{ model: 'rerank-v3.5' }, 404, 'is tiny-reranker'],
    [{ max_tokens_per_doc: 20 }, 422, 'max_tokens_per_doc is below'],
    [{ documents: [{ title: 'no text' }] }, 422, 'documents[0] lacks text'],
    [{ documents: new Array(81).fill('a') }, 413, 'more than 80'],
  ])('%j is refused', async (part, status, words) => {
    const { body } = await post(path, { query: QUERY, documents: ['a'], ...part }).expect(status)
    expect(body.detail).toContain(words)
  })

  test('max_tokens_per_doc above what the model reads changes nothing', async () => {
    const asked = { query: QUERY, documents: TEXTS }
    const plain = await post(path, asked).expect(200)
    const generous = await post(path, { ...asked, max_tokens_per_doc: 4096 }).expect(200)
    expect(generous.body.results).toEqual(plain.body.results)
  })
})

test('GET /info describes the reranker and its limits', async () => {
  const { body } = await service.http().get('/info').expect(200)
  expect(body.reranker).toMatchObject({
    id: 'tiny-reranker',
    precision: 'fp32',
    max_tokens: reference.card.maxTokens,
    device: 'cpu',
    template: expect.stringContaining('{query}'),
  })
  expect(body.limits).toMatchObject({ rerank_documents: 80, rerank_top_n: 70 })
})

test('metrics count what the reranker does', async () => {
  await rerank({ documents: TEXTS }).expect(200)
  const { text } = await service.http().get('/metrics').expect(200)
  expect(text).toMatch(/^llara_rerank_duration_seconds_count\{lane="interactive"\} \d+$/m)
  expect(text).toMatch(/^llara_rerank_duration_seconds_count\{lane="bulk"\} 2$/m)
  expect(text).toMatch(/^llara_reranked_texts_total \d\d+$/m)
  expect(text).toMatch(/^llara_reranker_batches_total \d+$/m)
  expect(text).toMatch(/^llara_reranker_waiting_texts\{lane="interactive"\} 0$/m)
  expect(text).toMatch(/^llara_reranker_up 1$/m)
})

test('a service without a reranker says so with a code of its own', async () => {
  const without = await openService()
  try {
    const documents = ['a']
    for (const path of ['/rerank', '/v1/rerank', '/v2/rerank']) {
      const { body } = await without.http().post(path).send({ query: 'q', documents }).expect(404)
      expect(body).toMatchObject({ code: 'NO_RERANKER', detail: expect.stringContaining('RERANKER') })
    }
    const { body } = await without.http().post('/search').send({ query: 'q', rerank: {} }).expect(404)
    expect(body.code).toBe('NO_RERANKER')
    const { body: info } = await without.http().get('/info').expect(200)
    expect(info).not.toHaveProperty('reranker')
  } finally {
    await without.close()
  }
})
