import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MODEL_FILES } from '../../../model/card.ts'
import { replaceFile } from '../../disk.ts'
import type { Report } from './report.ts'

type Recorded = Pick<Report, 'documents' | 'queries' | 'exact' | 'hnsw'> &
  Partial<Pick<Report, 'prompts' | 'drift'>>

/**
 * Writes a set's figures, rounded, into the model's card as `quality.evaluation.<set>`; the rest of the card stays as
 * it is, and so does the fingerprint. Drift and prompt figures measured earlier stay where this report has none.
 */
export async function recordInCard(modelFolder: string, report: { set: string } & Recorded): Promise<void> {
  const file = join(modelFolder, MODEL_FILES.card)
  const card = JSON.parse(await readFile(file, 'utf8'))
  const { set, documents, queries, exact, hnsw, prompts, drift } = report
  const known = card.quality?.evaluation?.[set]
  const figures = rounded({
    ...known,
    documents,
    queries,
    exact,
    hnsw,
    ...(prompts && { prompts }),
    ...(drift && { drift }),
  })
  card.quality = { ...card.quality, evaluation: { ...card.quality?.evaluation, [set]: figures } }
  await replaceFile(file, `${JSON.stringify(card, undefined, 2)}\n`)
}

/** Cosines near one need six digits; the others have four that mean something. */
function rounded(figures: object): unknown {
  return JSON.parse(
    JSON.stringify(figures, (key, value) =>
      typeof value === 'number' ? Number(value.toFixed(/Cosine$/.test(key) ? 6 : 4)) : value,
    ),
  )
}
