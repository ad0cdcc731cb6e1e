import { onTestFinished } from 'vitest'
import { Collections } from '../../src/collections/collections.ts'
import { modelVectors } from '../../src/collections/vector-space.ts'
import { defaultConfig } from '../../src/config/read.ts'
import type { Config } from '../../src/config/settings.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

/** The collections of a data folder over a real tiny model; closed after the test, or before. */
export async function openCollections(dataDir: string, settings: Partial<Config> = {}) {
  const limits = { ...defaultConfig(), ...settings }
  const encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  const engine = await startEmbeddedEngine({ dataDir, limits })
  const first = await engine.open(DEFAULT_COLLECTION, modelVectors(encoder))
  const measured = <T>(index: T) => index
  const onFault = (facts: object, error: Error) => {
    throw new Error(JSON.stringify(facts), { cause: error })
  }
  const parts = { engine, encoder, reranker: undefined, limits, defaults: FIRST_SETTINGS, measured, onFault }
  const collections = await Collections.open(parts, first)
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= collections.close().then(async () => {
      await engine.close()
      await encoder.close()
    })
    return closing
  }
  onTestFinished(close)
  return { collections, engine, close }
}
