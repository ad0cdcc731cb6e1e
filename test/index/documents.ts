import type { CheckedDocument, Document, IndexedDocument } from '../../src/index/document.ts'
import type { Metadata } from '../../src/index/json.ts'

/**
 * A document as an index takes it, without the checks of retrieval: an index keeps more than users may send. One
 * passage for each vector, the text cut evenly between them.
 */
export function indexed(document: Document, ...vectors: Float32Array[]): IndexedDocument {
  const cut = (i: number) => Math.floor((i * document.text.length) / vectors.length)
  return {
    document: document as CheckedDocument,
    passages: vectors.map((vector, i) => ({ span: { start: cut(i), end: cut(i + 1) }, vector })),
  }
}

/** With a text and a title made from its id. */
export function named(id: string, vector: Float32Array, metadata: Metadata = {}): IndexedDocument {
  return indexed({ id, text: `text of ${id}`, title: `title of ${id}`, metadata }, vector)
}

export function idsOf(documents: readonly IndexedDocument[]): string[] {
  return documents.map(({ document }) => document.id)
}

/** The vector of a document of one passage. */
export function vectorOf({ passages }: IndexedDocument): Float32Array {
  return passages[0]!.vector
}
