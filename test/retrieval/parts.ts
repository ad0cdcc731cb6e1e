import { defaultConfig } from '../../src/config/read.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import type { Retrieval, RetrievalLimits } from '../../src/retrieval/retrieval.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { openExactStore } from '../oracle/exact-index.ts'

/** A real tiny encoder and the exact store. */
export async function openParts(limits: Partial<RetrievalLimits> = {}): Promise<Retrieval> {
  const encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  const store = openExactStore({ dimensions: encoder.card.dimensions })
  return { encoder, store, limits: { ...defaultConfig(), ...limits } }
}
