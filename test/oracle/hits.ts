import type { Document, DocumentField, DocumentPart, Passage } from '../../src/index/document.ts'
import type { Excerpt, Excerpts, ExcerptWish, Hit, ScoreKind } from '../../src/index/document-index.ts'
import { similarity } from '../../src/index/similarity.ts'
import { unitVector } from '../../src/index/unit-vector.ts'

export interface Stored {
  document: Document
  passages: Passage[]
}

/** A document as a hit, by the first of its best passages. */
export function bestPassage(
  vector: Float32Array,
  { document, passages }: Stored,
  fields?: readonly DocumentField[],
): Hit {
  const scores = passages.map((passage) => similarity(vector, passage.vector))
  const score = Math.max(...scores)
  return hitOf({ document, passages }, score, 'cosine', scores.indexOf(score), fields)
}

/** A document by one of its passages. */
export function hitOf(
  { document, passages }: Stored,
  score: number,
  kind: ScoreKind,
  ordinal: number,
  fields?: readonly DocumentField[],
): Hit {
  const hit: Hit = { id: document.id, score, kind, passage: { ordinal, ...passages[ordinal]!.span } }
  return fields?.length === 0 ? hit : { ...hit, document: partOf(document, fields) }
}

/** Those fields of a document that are asked for, as a copy. */
export function partOf(
  document: Document,
  fields: readonly DocumentField[] = ['text', 'title', 'metadata'],
): Omit<DocumentPart, 'id'> {
  return Object.fromEntries(fields.map((field) => [field, structuredClone(document[field])]))
}

export function excerptsOf(stored: Stored | undefined, { ordinal, best }: ExcerptWish): Excerpts | undefined {
  if (!stored) return undefined
  const { text } = stored.document
  const points = (units: number) => [...text.slice(0, units)].length
  const all = stored.passages.map(
    ({ span: { start, end }, vector }, i): Excerpt => ({
      ordinal: i,
      start,
      end,
      text: text.slice(start, end),
      codePoints: { start: points(start), end: points(end) },
      ...(best && { score: similarity(unitVector(best.vector, vector.length), vector) }),
    }),
  )
  const { score: _, ...passage } = all[ordinal] ?? {}
  const sorted = all.toSorted((a, b) => b.score! - a.score! || a.ordinal - b.ordinal)
  return {
    ...(all[ordinal] && { passage: passage as Excerpt }),
    ...(best && { best: sorted.slice(0, best.count) }),
  }
}
