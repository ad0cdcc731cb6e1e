import { onTestFinished } from 'vitest'
import { defaultConfig } from '../../../src/config/read.ts'
import { openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import { startEmbeddedEngine } from '../../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../../src/index/index-engine.ts'
import { ingest } from '../../../src/retrieval/ingest.ts'
import type { Retrieval } from '../../../src/retrieval/retrieval.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'
import { scratchFolder } from '../../index/scratch.ts'

/** A real tiny encoder and the embedded index with some documents, all of which have a word of their own and `shared`. */
export async function openLibrary(count: number): Promise<Retrieval> {
  const encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
  onTestFinished(() => encoder.close())
  const engine = await startEmbeddedEngine({ dataDir: await scratchFolder() })
  onTestFinished(() => engine.close())
  const { dimensions, fingerprint } = encoder.card
  const index = await engine.open(DEFAULT_COLLECTION, { dimensions, fingerprint })
  const retrieval = { encoder, index, limits: defaultConfig() }
  const documents = Array.from({ length: count }, (_, i) => ({ id: `d${i}`, text: `shared word${i}` }))
  await ingest(retrieval, documents, { truncate: 'end' })
  return retrieval
}

/** The same index, with a look at its searches before they run. */
export function watched(
  index: DocumentIndex,
  before: (leg: 'dense' | 'lexical', signal: AbortSignal | undefined) => Promise<void>,
): DocumentIndex {
  return new Proxy(index, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'search') return value.bind(target)
      return async (...args: Parameters<DocumentIndex['search']>) => {
        const [[probe], , options] = args
        await before(probe && 'terms' in probe ? 'lexical' : 'dense', options?.signal)
        return target.search(...args)
      }
    },
  })
}
