import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FloatArithmetic } from '../arithmetic/float-arithmetic.ts'
import { Int8Arithmetic } from '../arithmetic/int8-arithmetic.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { promptedRows } from '../drift/prompted-rows.ts'
import { compareVectors, type Drift, embedRows } from '../drift/row-drift.ts'
import type { CompiledPrompts } from '../prompts/compile-prompts.ts'
import { planModel } from '../quantisation/plan-model.ts'
import { smoothedWeights } from '../quantisation/smoothed-weights.ts'
import { type WriteGraphOptions, writeGraph } from '../write-onnx-model.ts'
import { calibrate, openGraph } from './calibrate.ts'
import { withPassages } from './sentences.ts'

export interface Int8Options {
  checkpoint: Checkpoint
  compiled: CompiledPrompts
  /** Every fourth is kept apart, to measure the drift on where no other texts are given for that. */
  texts: readonly string[]
  driftTexts?: readonly string[] | undefined
  shape: Omit<WriteGraphOptions, 'weights' | 'arithmetic'>
  /** Whether the fp32 graph's weights are too large to be inside it. */
  externalReference: boolean
  onProgress: (step: string) => void
}

export interface Int8Quality {
  drift: Drift
  /** Sites whose activations fit no 8-bit range and stayed in floating point. */
  floatSites: string[]
}

const HELD_OUT_EVERY = 4

/**
 * Writes the int8 graph: measures activations on an fp32 graph in a folder within, plans, quantises, and compares the
 * two on texts the plan has not seen. The fp32 graph is removed again.
 */
export async function writeInt8(folder: string, options: Int8Options): Promise<Int8Quality> {
  const { checkpoint, compiled, driftTexts, shape, onProgress } = options
  const { config } = checkpoint
  const heldOut = (_: string, i: number) => i % HELD_OUT_EVERY === HELD_OUT_EVERY - 1
  const rowsOf = (texts: readonly string[]) =>
    promptedRows(checkpoint.tokenizerJson, compiled, withPassages(texts))
  const beside = await mkdtemp(join(folder, 'calibration-'))
  try {
    onProgress('fp32 graph for calibration')
    const reference = await writeGraph(beside, {
      ...shape,
      external: options.externalReference,
      weights: checkpoint,
      arithmetic: new FloatArithmetic('float', config, checkpoint),
      tapped: true,
    })
    const session = await openGraph(beside)
    const seen = await rowsOf(options.texts.filter((text, i) => !heldOut(text, i)))
    onProgress(`calibration on ${seen.length} rows`)
    const statistics = await calibrate(session, reference, seen)
    onProgress('choosing scales')
    const plan = await planModel(config, checkpoint, statistics)
    const weights = smoothedWeights(checkpoint, config, plan)
    await writeGraph(folder, { ...shape, weights, arithmetic: new Int8Arithmetic(config, weights, plan) })
    const quantised = await openGraph(folder)
    onProgress('drift against fp32')
    const rows = driftTexts
      ? await promptedRows(checkpoint.tokenizerJson, compiled, driftTexts)
      : await rowsOf(options.texts.filter(heldOut))
    const drift = compareVectors(await embedRows(session, rows), await embedRows(quantised, rows))
    await session.release()
    await quantised.release()
    const floatSites = [...plan].filter(([, site]) => site.float).map(([name]) => name)
    return { drift, floatSites }
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}
