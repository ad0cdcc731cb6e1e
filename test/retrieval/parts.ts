import { defaultConfig } from '../../src/config/read.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import type { RetrievalLimits } from '../../src/retrieval/limits.ts'
import type { Retrieval } from '../../src/retrieval/retrieval.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { ExactIndex } from '../oracle/exact-index.ts'

/** A real tiny encoder and the exact index. */
export async function openParts(limits: Partial<RetrievalLimits> = {}): Promise<Retrieval> {
  const encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  const index = new ExactIndex(encoder.card.dimensions)
  return { encoder, index, limits: { ...defaultConfig(), ...limits } }
}
