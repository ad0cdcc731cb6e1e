import { TENSORS } from '../../../model/card.ts'
import { openModel, type PromptedRow, promptedRows, runRow } from './prompted-rows.ts'
import { type WrittenModel, withReferenceModel } from './reference-model.ts'

/** How far a model's vectors lie from those of the same model in fp32. */
export interface RowDrift {
  against: 'fp32'
  vectors: number
  meanCosine: number
  worstCosine: number
}

/**
 * Drift of the model in a folder from fp32 on the given texts, each under both prompts. The fp32 model is written
 * within the folder and removed again.
 */
export async function measureDrift(
  folder: string,
  model: WrittenModel,
  texts: readonly string[],
): Promise<RowDrift> {
  const { checkpoint, compiled, onProgress } = model
  const rows = await promptedRows(checkpoint.tokenizerJson, compiled, texts)
  onProgress('fp32 model to compare with')
  return withReferenceModel(folder, model, { tapped: false }, (reference) => {
    onProgress(`drift from fp32 on ${rows.length} rows`)
    return compareFolders({ model: folder, reference }, rows)
  })
}

/** Drift between the models of two folders. They run one after the other, so that memory holds one at a time. */
export async function compareFolders(
  { model, reference }: { model: string; reference: string },
  rows: readonly PromptedRow[],
): Promise<RowDrift> {
  const expected = await vectorsOf(reference, rows)
  return rowDrift({ model: await vectorsOf(model, rows), reference: expected })
}

async function vectorsOf(folder: string, rows: readonly PromptedRow[]): Promise<Float32Array[]> {
  const session = await openModel(folder)
  const vectors: Float32Array[] = []
  for (const row of rows) {
    vectors.push((await runRow(session, row))[TENSORS.embeddings]!.data as Float32Array)
  }
  await session.release()
  return vectors
}

/** Vectors of the same rows, unit length both. */
function rowDrift({ model, reference }: Record<'model' | 'reference', readonly Float32Array[]>): RowDrift {
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
