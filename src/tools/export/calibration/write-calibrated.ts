import { Int8Arithmetic } from '../arithmetic/int8-arithmetic.ts'
import { compareFolders, type RowDrift } from '../drift/measure-drift.ts'
import { promptedRows } from '../drift/prompted-rows.ts'
import { type WrittenModel, withReferenceModel } from '../drift/reference-model.ts'
import { planModel } from '../quantisation/plan-model.ts'
import { smoothedWeights } from '../quantisation/smoothed-weights.ts'
import { writeOnnxModel } from '../write-onnx-model.ts'
import { calibrate } from './calibrate.ts'
import { withPassages } from './sentences.ts'

interface CalibrationTexts {
  /** Every fourth is held out, to measure drift on where no other texts are given for that. */
  texts: readonly string[]
  driftTexts?: readonly string[] | undefined
}

export interface CalibratedQuality {
  drift: RowDrift
  /** Sites whose activations fit no 8-bit range and stayed in floating point. */
  floatSites: string[]
}

const HELD_OUT_EVERY = 4

/**
 * Writes the model in calibrated int8: measures activations on an fp32 model within the folder, plans, quantises, and
 * compares the two on texts the plan has not seen. The fp32 model is removed again.
 */
export async function writeCalibrated(
  folder: string,
  model: WrittenModel,
  { texts, driftTexts }: CalibrationTexts,
): Promise<CalibratedQuality> {
  const { checkpoint, compiled, shape, onProgress } = model
  const { config, tokenizerJson } = checkpoint
  const heldOut = (_: string, i: number) => i % HELD_OUT_EVERY === HELD_OUT_EVERY - 1
  const rowsOf = (given: readonly string[]) => promptedRows(tokenizerJson, compiled, given)
  onProgress('fp32 model for calibration')
  return withReferenceModel(folder, model, { tapped: true }, async (reference, sites) => {
    const seen = await rowsOf(withPassages(texts.filter((text, i) => !heldOut(text, i))))
    onProgress(`calibration on ${seen.length} rows`)
    const statistics = await calibrate(reference, sites, seen)
    onProgress('choosing scales')
    const plan = await planModel(config, checkpoint, statistics)
    const weights = smoothedWeights(checkpoint, config, plan)
    await writeOnnxModel(folder, { ...shape, weights, arithmetic: new Int8Arithmetic(config, weights, plan) })
    onProgress('drift from fp32')
    const rows = await rowsOf(driftTexts ?? withPassages(texts.filter(heldOut)))
    const drift = await compareFolders(compiled.kind, { model: folder, reference }, rows)
    const floatSites = [...plan].filter(([, site]) => site.float).map(([name]) => name)
    return { drift, floatSites }
  })
}
