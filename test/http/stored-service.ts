import request from 'supertest'
import { onTestFinished } from 'vitest'
import { createApp } from '../../src/app.ts'
import { defaultConfig } from '../../src/config/read.ts'
import type { Config } from '../../src/config/settings.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

/** The service over a real tiny model and the embedded index in `dataDir`; closed after the test, or before. */
export async function openStored(dataDir: string, settings: Partial<Config> = {}) {
  const config: Config = { ...defaultConfig(), port: 0, logLevel: 'warn', dataDir, ...settings }
  const encoder = await openOnnxEncoder({
    modelFolder: await tinyModel(),
    device: 'cpu',
    intraOpThreads: 1,
    limits: settings,
  })
  const lines: string[] = []
  const app = await createApp(config, { encoder, log: { write: (line) => void lines.push(line) } })
  const close = async () => {
    await app.close()
    await encoder.close()
  }
  onTestFinished(close)
  const { url } = await app.start()
  return { url, log: lines, close, http: () => request(url) }
}
