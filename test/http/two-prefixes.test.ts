import { afterAll, beforeAll, expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { openService, type Service } from './service.ts'

/** A model whose prompts begin differently, as RepLLaMA's `query:` and `passage:` do. */
let service: Service
beforeAll(async () => {
  const model = tinyModel('gqa-paper', { template: 'repllama', maxBodyTokens: 20 })
  service = await openService({ interactiveTextsMax: 4, ingestBatchDocuments: 8 }, model)
})
afterAll(() => service.close())

test('GET /info names both prompts and their own limits', async () => {
  const { body } = await service.http().get('/info').expect(200)
  expect(body.model.prompts).toEqual({ ebar: '<s>query:{text}</s>', ebae: '<s>passage:{text}</s>' })
  const { ebar, ebae } = body.model.max_tokens
  const most = async (prompt: string) => {
    const wish = { texts: ['long '.repeat(100)], prompt }
    return (await service.http().post('/embed').send(wish).expect(200)).body.usage.tokens
  }
  expect([ebar, ebae]).toEqual([await most('ebar'), await most('ebae')])
  expect(await most('both')).toBe(ebar + ebae)
})

test('both vectors, tokens and cut texts are those of two requests', async () => {
  const texts = Array.from({ length: 11 }, (_, i) => `text ${i} `.repeat(i === 9 ? 50 : 1))
  for (const some of [texts, texts.slice(8, 10)]) {
    const ask = async (prompt: string) =>
      (await service.http().post('/embed').send({ texts: some, prompt }).expect(200)).body
    const [both, ebar, ebae] = [await ask('both'), await ask('ebar'), await ask('ebae')]
    expect(both.usage.tokens).toBe(ebar.usage.tokens + ebae.usage.tokens)
    expect(both.truncated).toEqual([some.indexOf(texts[9]!)])
    for (const [name, { embeddings }] of Object.entries({ ebar, ebae })) {
      expect(both[name]).toHaveLength(some.length)
      const flat: number[] = embeddings.flat()
      for (const [i, value] of both[name].flat().entries()) expect(value).toBeCloseTo(flat[i]!, 4)
    }
  }
})

test('documents are stored and found', async () => {
  const document = { id: 'sky', text: 'the sky is blue' }
  await service
    .http()
    .post('/documents')
    .send({ documents: [document] })
    .expect(200)
  const { body } = await service.http().post('/search').send({ query: 'sky' }).expect(200)
  expect(body.results[0].id).toBe('sky')
})
