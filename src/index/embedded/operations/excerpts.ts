import { inCodePoints } from '../../code-points.ts'
import type { Excerpts, ExcerptWish } from '../../document-index.ts'
import { similarity } from '../../similarity.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { ReadBudget } from './read-budget.ts'

interface Chosen {
  label: number | undefined
  score?: number
}

/**
 * Passages of one document as texts; undefined where it is gone or damaged.
 * @throws ServiceError TOO_LARGE (`budget`)
 */
export function excerptsOf(
  { table, rows, stored }: { table: VectorTable; rows: RowReader; stored: StoredDocuments },
  { id, ordinal, best }: ExcerptWish,
  budget: ReadBudget,
): Excerpts | undefined {
  const key = rows.keyOf(id)
  const document = key === undefined ? undefined : stored.byKey(key)
  if (key === undefined || document?.id !== id) return undefined
  const labels = table.labelsOf(key)
  const scored = best ? bestOf(labels, best, table) : []
  const chosen: Chosen[] = [{ label: labels[ordinal] }, ...scored]
  const found = chosen.map(({ label }) => (label === undefined ? undefined : stored.passage(label, key)))
  const spans = found.map((passage) => passage ?? { start: 0, end: 0 })
  const codePoints = inCodePoints(document.text, spans).map(({ start, end }) => ({ start, end }))
  const [passage, ...others] = chosen.map(({ score }, i) => {
    const place = found[i]
    if (!place) return undefined
    const text = document.text.slice(place.start, place.end)
    budget.take({ id, text, title: null, metadata: '' }, ['text'])
    return { ...place, text, codePoints: codePoints[i]!, ...(score !== undefined && { score }) }
  })
  return {
    ...(passage && { passage }),
    ...(best && { best: others.filter((excerpt) => excerpt !== undefined) }),
  }
}

function bestOf(labels: number[], best: NonNullable<ExcerptWish['best']>, table: VectorTable): Chosen[] {
  const scored = labels.map((label) => {
    const slot = table.slot(label)!
    return { label, score: similarity(best.vector, table.block(slot), table.offset(slot)) }
  })
  return scored.sort((a, b) => b.score - a.score || a.label - b.label).slice(0, best.count)
}
