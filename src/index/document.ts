import type { Metadata } from './json.ts'

/** What a user gave us and gets back. */
export interface Document {
  /** Unique in its collection: 1 to 512 bytes of UTF-8. */
  id: string
  text: string
  title: string | null
  metadata: Metadata
}

/** What an answer may leave out of a document. */
export type DocumentField = (typeof DOCUMENT_FIELDS)[number]
export const DOCUMENT_FIELDS = ['text', 'title', 'metadata'] as const

/** A document, or what was asked for of it. */
export type DocumentPart = Pick<Document, 'id'> & Partial<Pick<Document, DocumentField>>

declare const checked: unique symbol

/**
 * A document whose every part was checked by retrieval/checks: well-formed Unicode, JSON values only, all within
 * their limits. An index takes no other and does not check again.
 */
export type CheckedDocument = Document & { readonly [checked]: true }

/** A stretch of a document's text in UTF-16 code units, half open. */
export interface Span {
  start: number
  end: number
}

/** A part of a document that is found by a vector of its own. */
export interface Passage {
  span: Span
  /** `dimensions` finite numbers, not all zero; stored at unit length. */
  vector: Float32Array
}

/** A document and what it is found by: at least one passage, in the order of the text. */
export interface IndexedDocument {
  document: CheckedDocument
  passages: readonly Passage[]
}
