import type { Hit } from '../../index/document-index.ts'

/** What each leg brought for one query, best first. */
export interface Candidates {
  dense: readonly Hit[]
  lexical: readonly Hit[]
}

/** What each leg's i-th candidate adds to its document's score. */
export type Shares = Record<keyof Candidates, readonly number[]>
