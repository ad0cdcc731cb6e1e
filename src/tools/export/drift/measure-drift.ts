import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FloatArithmetic } from '../arithmetic/float-arithmetic.ts'
import { openGraph } from '../calibration/calibrate.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import type { CompiledPrompts } from '../prompts/compile-prompts.ts'
import { type WriteGraphOptions, writeGraph } from '../write-onnx-model.ts'
import { promptedRows } from './prompted-rows.ts'
import { compareVectors, type Drift, embedRows } from './row-drift.ts'

export interface DriftOptions {
  checkpoint: Checkpoint
  compiled: CompiledPrompts
  /** Each is embedded under both prompts. */
  texts: readonly string[]
  shape: Omit<WriteGraphOptions, 'weights' | 'arithmetic'>
  /** Whether the fp32 graph's weights are too large to be inside it. */
  externalReference: boolean
  onProgress: (step: string) => void
}

/**
 * How far the graph in a folder drifts from fp32 on the given texts. The fp32 graph is written within the folder and
 * removed again; the two run one after the other, so that memory holds one of them at a time.
 */
export async function measureDrift(folder: string, options: DriftOptions): Promise<Drift> {
  const { checkpoint, compiled, shape, onProgress } = options
  const { config } = checkpoint
  const rows = await promptedRows(checkpoint.tokenizerJson, compiled, options.texts)
  const beside = await mkdtemp(join(folder, 'reference-'))
  const vectorsOf = async (of: string) => {
    const session = await openGraph(of)
    const vectors = await embedRows(session, rows)
    await session.release()
    return vectors
  }
  try {
    onProgress('fp32 graph to compare with')
    await writeGraph(beside, {
      ...shape,
      external: options.externalReference,
      weights: checkpoint,
      arithmetic: new FloatArithmetic('float', config, checkpoint),
    })
    onProgress(`drift against fp32 on ${rows.length} rows`)
    return compareVectors(await vectorsOf(beside), await vectorsOf(folder))
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}
