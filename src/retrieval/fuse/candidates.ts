import type { Hit } from '../../index/document-index.ts'

/** What each leg brought for one query, best first. */
export interface Candidates {
  dense: readonly Hit[]
  lexical: readonly Hit[]
  /** How many each was asked for. */
  asked: number
}

export type Leg = 'dense' | 'lexical'

/** What a leg's i-th candidate adds to its document's score, at least 0; a document that the leg did not bring gets nothing. */
export type Shares = Record<Leg, readonly number[]>
