import { type CardKind, TENSORS } from '../../../model/card.ts'
import type { RowTokens } from '../../../model/prompt.ts'
import { openModel, promptedRows, runRow } from './prompted-rows.ts'
import { type WrittenModel, withReferenceModel } from './reference-model.ts'
import { type ScoreDrift, scoreDrift } from './score-drift.ts'
import { type VectorDrift, vectorDrift } from './vector-drift.ts'

/** How far what a model gives lies from what the same model gives in fp32. */
export type RowDrift = VectorDrift | ScoreDrift

/**
 * Drift of the model in a folder from fp32 on the given texts. The fp32 model is written within the folder and
 * removed again.
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
    return compareFolders(compiled.kind, { model: folder, reference }, rows)
  })
}

/** Drift between the models of two folders. They run one after the other, so that memory holds one at a time. */
export async function compareFolders(
  kind: CardKind,
  { model, reference }: { model: string; reference: string },
  rows: readonly RowTokens[],
): Promise<RowDrift> {
  const output = kind === 'encoder' ? TENSORS.embeddings : TENSORS.scores
  const expected = await outputsOf(reference, rows, output)
  const given = await outputsOf(model, rows, output)
  return kind === 'encoder'
    ? vectorDrift(given, expected)
    : scoreDrift(given.flatMap(toList), expected.flatMap(toList))
}

async function outputsOf(
  folder: string,
  rows: readonly RowTokens[],
  output: string,
): Promise<Float32Array[]> {
  const session = await openModel(folder)
  const outputs: Float32Array[] = []
  for (const row of rows) outputs.push((await runRow(session, row))[output]!.data as Float32Array)
  await session.release()
  return outputs
}

function toList(numbers: Float32Array): number[] {
  return [...numbers]
}
