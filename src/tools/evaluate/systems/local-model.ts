import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultConfig } from '../../../config/read.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../../encoder/onnx/onnx-encoder.ts'
import { FIRST_SETTINGS } from '../../../index/collection-settings.ts'
import { startEmbeddedEngine } from '../../../index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../../index/index-engine.ts'
import type { DeviceChoice } from '../../../inference/device.ts'
import { type OnnxReranker, openOnnxReranker } from '../../../reranker/onnx/onnx-reranker.ts'
import { checkChunking } from '../../../retrieval/checks/check-chunking.ts'
import { localSystem, RERANK_MS_MAX } from './local-system.ts'
import type { SearchSystem } from './search-system.ts'

/** Opens a model, works with it, closes it. */
export async function withModel<T>(
  modelFolder: string,
  device: DeviceChoice,
  work: (encoder: OnnxEncoder) => Promise<T>,
): Promise<T> {
  const encoder = await openOnnxEncoder({ modelFolder, device })
  try {
    return await work(encoder)
  } finally {
    await encoder.close()
  }
}

/** As `withModel`, with a reranker beside it where one is named. */
export async function withReranker<T>(
  modelFolder: string | undefined,
  device: DeviceChoice,
  work: (reranker: OnnxReranker | undefined) => Promise<T>,
): Promise<T> {
  if (modelFolder === undefined) return work(undefined)
  const reranker = await openOnnxReranker({ modelFolder, device })
  try {
    return await work(reranker)
  } finally {
    await reranker.close()
  }
}

/** The service's own parts around an index of their own, which is gone afterwards. */
export async function withLocalSystem<T>(
  encoder: OnnxEncoder,
  { passages = false }: { passages?: boolean },
  work: (system: SearchSystem) => Promise<T>,
  reranker?: OnnxReranker,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-evaluate-'))
  try {
    const { dimensions, fingerprint } = encoder.card
    // exactScoringMax 0: small sets, too, go through the HNSW graph.
    const engine = await startEmbeddedEngine({ dataDir, limits: { exactScoringMax: 0 } })
    try {
      // Judged sets have queries as long as documents.
      const config = defaultConfig()
      const limits = { ...config, queryBytesMax: config.textBytesMax, rerankMsMax: RERANK_MS_MAX }
      const chunking = checkChunking({ kind: passages ? 'passages' : 'whole' }, encoder.card.bodyTokens.ebae)
      const identity = { dimensions, fingerprint }
      const index = await engine.open(DEFAULT_COLLECTION, identity, { ...FIRST_SETTINGS, chunking })
      return await work(localSystem({ encoder, reranker, index, limits }))
    } finally {
      await engine.close()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}
