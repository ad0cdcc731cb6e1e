import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultConfig } from '../../src/config.ts'
import type { DeviceChoice } from '../../src/encoder/onnx/device.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { localSystem } from '../../src/evaluation/local-system.ts'
import type { SearchSystem } from '../../src/evaluation/search-system.ts'
import { openEmbeddedStore } from '../../src/vector-store/embedded/embedded-store.ts'

/** Opens a model, works with it, closes it. */
export async function withModel<T>(
  modelFolder: string,
  device: DeviceChoice,
  work: (encoder: OnnxEncoder) => Promise<T>,
): Promise<T> {
  const { textBytesMax } = defaultConfig()
  // A document is embedded as title and text.
  const limits = { textCharsMax: 2 * textBytesMax + 1 }
  const encoder = await openOnnxEncoder({ modelFolder, device, limits })
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
