import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { ServiceError } from '../../../src/errors.ts'
import { modelFolder } from '../../../src/model/find-model.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { type OnnxRerankerOptions, openOnnxReranker } from '../../../src/reranker/onnx/onnx-reranker.ts'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'

const open = (options: Partial<OnnxRerankerOptions> & { modelFolder: string }) =>
  openOnnxReranker({ device: 'cpu', intraOpThreads: 1, ...options })

test('an encoder is refused, and no folder', async () => {
  await expect(open({ modelFolder: modelFolder('llara-mini') })).rejects.toMatchObject({
    code: 'MODEL_UNUSABLE',
    message: expect.stringMatching(/of kind encoder; kind reranker is needed here/),
  })
  await expect(open({ modelFolder: '/no/such/folder' })).rejects.toMatchObject({ code: 'MODEL_UNUSABLE' })
})

test('a limit out of its range is refused by its name', async () => {
  const limits = { rerankQueueTextsMax: 0 }
  await expect(open({ modelFolder: await tinyReranker(), limits })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    details: { field: 'rerankQueueTextsMax' },
  })
})

test('the card that callers see is the folder’s', async () => {
  const folder = await tinyReranker()
  const { id, fingerprint, licence, precision, template } = readCard(folder, 'reranker')
  const reranker = await open({ modelFolder: folder })
  expect(reranker.card).toEqual({
    id,
    kind: 'reranker',
    fingerprint,
    licence,
    precision,
    template: template.shown,
    maxTokens: template.maxTokens,
    maxQueryTokens: template.maxQueryTokens,
  })
  expect(reranker.device).toEqual({ provider: 'cpu', reason: 'as configured' })
  await reranker.close()
})

test('a death fails the calls that wait and all later ones, and every listener hears of it once', async () => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  const reranker = await open({ modelFolder: await tinyReranker() })
  process.off('worker', remember)
  const deaths: ServiceError[] = []
  reranker.onDeath((error) => deaths.push(error))
  const texts = new Array(1000).fill('leaves turn red')
  const waiting = expect(reranker.score('why', texts)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await workers[0]!.terminate()
  await waiting
  const message = 'The reranker has stopped; restart the service.'
  expect(deaths).toMatchObject([{ code: 'UNAVAILABLE', message }])
  await expect(reranker.score('why', texts)).rejects.toBe(deaths[0])
  reranker.onDeath((error) => deaths.push(error))
  expect(deaths).toHaveLength(2)
  await reranker.close()
  expect(deaths).toHaveLength(2)
})
