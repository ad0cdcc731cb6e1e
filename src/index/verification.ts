import type { CallOptions } from './document-index.ts'

/** Something stored that is not as it was written. */
export interface Finding {
  /** Of the document, where it is one's and still known. */
  id?: string
  /** For people: what is wrong. */
  problem: string
}

/** What a check of everything that a collection holds has shown. */
export interface Verification {
  collection: string
  /** That are whole. */
  documents: number
  passages: number
  findings: Finding[]
}

/** Of everything that an engine holds. */
export interface VerificationReport {
  collections: Verification[]
  /** What is wrong with records, each in a sentence. */
  records: string[]
}

export interface VerifyOptions extends CallOptions {
  /** Documents checked so far, of all collections, and how many there are. */
  onProgress?: (checked: number, total: number) => void
}
