import type { Document, DocumentField, DocumentPart, Passage } from '../../src/index/document.ts'
import type { Hit, ScoreKind } from '../../src/index/document-index.ts'
import { similarity } from '../../src/index/similarity.ts'

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
