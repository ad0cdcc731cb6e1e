import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MODEL_FILES } from '../encoder/onnx/card.ts'
import type { Evaluation } from './evaluate.ts'
import type { Scores } from './metrics.ts'

/**
 * Writes a set's figures, rounded to four digits, into the model's card as `quality.evaluation.<set>`; the rest of
 * the card stays as it is, and so does the fingerprint.
 */
export async function recordInCard(modelFolder: string, set: string, evaluation: Evaluation): Promise<void> {
  const file = join(modelFolder, MODEL_FILES.card)
  const card = JSON.parse(await readFile(file, 'utf8'))
  const { documents, queries } = evaluation
  const figures = { documents, queries, exact: rounded(evaluation.exact), hnsw: rounded(evaluation.hnsw) }
  card.quality = { ...card.quality, evaluation: { ...card.quality?.evaluation, [set]: figures } }
  const text = JSON.stringify(card, undefined, 2)
  const draft = `${file}.${process.pid}.tmp`
  await writeFile(draft, `${text}\n`)
  await rename(draft, file)
}

function rounded(scores: Scores): Scores {
  return Object.fromEntries(
    Object.entries(scores).map(([name, score]) => [name, Number(score.toFixed(4))]),
  ) as Scores
}
