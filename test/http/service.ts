import request from 'supertest'
import { createApp } from '../../src/app.ts'
import { defaultConfig } from '../../src/config/read.ts'
import type { Config } from '../../src/config/settings.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { openOnnxReranker } from '../../src/reranker/onnx/onnx-reranker.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { ExactEngine } from '../oracle/exact-engine.ts'

export type Service = Awaited<ReturnType<typeof openService>>

/**
 * The service over a real tiny model (or another one) and the exact index, listening on a free port.
 * @param rerankerFolder of a real reranker; none without it
 */
export async function openService(
  settings: Partial<Config> = {},
  model = tinyModel(),
  rerankerFolder?: Promise<string>,
) {
  const config: Config = { ...defaultConfig(), port: 0, logLevel: 'trace', ...settings }
  const encoder = await openOnnxEncoder({
    modelFolder: await model,
    device: 'cpu',
    intraOpThreads: 1,
    limits: settings,
  })
  const reranker = rerankerFolder && (await openReranker(await rerankerFolder, settings))
  const engine = new ExactEngine()
  const lines: string[] = []
  const log = { write: (line: string) => void lines.push(line) }
  const app = await createApp(config, { encoder, engine, log, ...(reranker && { reranker }) })
  const { url, retrieval } = await app.start()
  return {
    url,
    server: app.server,
    encoder,
    index: retrieval.index,
    /** Every log line so far. */
    log: lines,
    http: () => request(url),
    async close() {
      await app.close()
      await encoder.close()
      await reranker?.close()
    },
  }
}

function openReranker(modelFolder: string, limits: Partial<Config>) {
  return openOnnxReranker({ modelFolder, device: 'cpu', intraOpThreads: 1, limits })
}

/** Documents that any test may use. */
export const COLOURS = [
  { id: 'sky', title: 'Sky', text: 'the sky is blue', metadata: { year: 2021, tags: ['air'] } },
  { id: 'grass', title: null, text: 'grass is green and grows', metadata: { year: 2019 } },
  { id: 'sea', title: 'Sea', text: 'the sea is blue and deep', metadata: { year: 2023, tags: ['water'] } },
]
