import type { ModelSession } from '../../../inference/session.ts'
import { TENSORS } from '../../../model/card.ts'
import { type PromptedRow, runRow } from './prompted-rows.ts'

/** How far a model's vectors lie from those of the same model in fp32. */
export interface Drift {
  against: 'fp32'
  vectors: number
  meanCosine: number
  worstCosine: number
}

/** The vectors of rows, each run by itself. */
export async function embedRows(
  session: ModelSession,
  rows: readonly PromptedRow[],
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = []
  for (const row of rows) {
    vectors.push((await runRow(session, row))[TENSORS.embeddings]!.data as Float32Array)
  }
  return vectors
}

/** Compares two models' vectors of the same rows, unit length both. */
export function compareVectors(reference: readonly Float32Array[], model: readonly Float32Array[]): Drift {
  let sum = 0
  let worst = 1
  for (const [row, a] of reference.entries()) {
    const b = model[row]!
    const cosine = a.reduce((dot, value, i) => dot + value * b[i]!, 0)
    sum += cosine
    worst = Math.min(worst, cosine)
  }
  const rounded = (value: number) => Number(value.toFixed(6))
  return {
    against: 'fp32',
    vectors: reference.length,
    meanCosine: rounded(sum / reference.length),
    worstCosine: rounded(worst),
  }
}
