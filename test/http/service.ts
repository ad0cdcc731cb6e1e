import request from 'supertest'
import { defaultConfig } from '../../src/config/read.ts'
import type { Config } from '../../src/config/settings.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { checkState } from '../../src/http/guards/request-gate.ts'
import type { State } from '../../src/http/http-context.ts'
import { buildServer } from '../../src/http/server.ts'
import { measuredEncoder } from '../../src/telemetry/measured-encoder.ts'
import { measuredStore } from '../../src/telemetry/measured-index.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { openExactStore } from '../oracle/exact-index.ts'

export type Service = Awaited<ReturnType<typeof openService>>

/** The HTTP face over a real tiny model and the exact store, listening on a free port. */
export async function openService(settings: Partial<Config> = {}, limits = {}) {
  const config: Config = { ...defaultConfig(), ...settings }
  const metrics = new Metrics()
  const encoder = await openOnnxEncoder({
    modelFolder: await tinyModel(),
    device: 'cpu',
    intraOpThreads: 1,
    limits,
  })
  const store = openExactStore({ dimensions: encoder.card.dimensions })
  const retrieval = {
    encoder: measuredEncoder(encoder, metrics),
    store: measuredStore(store, metrics),
    limits: config,
  }
  let state: State = 'ready'
  const log: string[] = []
  const server = await buildServer(
    {
      config,
      version: '0.0.0',
      metrics,
      state: () => state,
      retrieval() {
        checkState(state)
        return retrieval
      },
    },
    { level: 'trace', stream: { write: (line: string) => void log.push(line) } },
  )
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    server,
    encoder,
    store,
    /** Every log line so far. */
    log,
    http: () => request(url),
    setState(next: State) {
      state = next
    },
    async close() {
      await server.close()
      await encoder.close()
    },
  }
}

/** Documents that any test may use. */
export const COLOURS = [
  { id: 'sky', title: 'Sky', text: 'the sky is blue', metadata: { year: 2021, tags: ['air'] } },
  { id: 'grass', title: null, text: 'grass is green and grows', metadata: { year: 2019 } },
  { id: 'sea', title: 'Sea', text: 'the sea is blue and deep', metadata: { year: 2023, tags: ['water'] } },
]
