import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultConfig } from '../../../config/read.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../../encoder/onnx/onnx-encoder.ts'
import { openEmbeddedStore } from '../../../index/embedded/embedded-index.ts'
import type { DeviceChoice } from '../../../inference/device.ts'
import { localSystem } from './local-system.ts'
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

/** The service's own parts around a store of their own, which is gone afterwards. */
export async function withLocalSystem<T>(
  encoder: OnnxEncoder,
  work: (system: SearchSystem) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-evaluate-'))
  try {
    const { dimensions, fingerprint } = encoder.card
    // exactScoringMax 0: small sets, too, go through the graph.
    const store = await openEmbeddedStore({ dataDir, dimensions, fingerprint, exactScoringMax: 0 })
    try {
      return await work(localSystem({ encoder, store, limits: defaultConfig() }))
    } finally {
      await store.close()
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}
