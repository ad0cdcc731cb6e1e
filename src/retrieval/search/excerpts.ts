import { ServiceError } from '../../errors.ts'
import type { SearchMode } from '../../index/collection-settings.ts'
import type {
  CallOptions,
  DocumentIndex,
  Excerpt,
  Excerpts,
  ExcerptWish,
} from '../../index/document-index.ts'
import type { Questions } from './target.ts'

/** What an answer shows of its documents' passages. */
export interface ExcerptsWanted {
  /** Most passages of each document, the best first; 0 for the one that was found alone. */
  passages: number
}

interface Candidate {
  id: string
  passage: { ordinal: number }
}

export type WithExcerpts<C> = C & { excerpt?: Excerpt; excerpts?: Excerpt[] }

/**
 * Checks what is wanted of passages; the step itself gives hits the texts of the passages that they were found by, and of
 * each document's best ones. A document that has been replaced meanwhile may lack them.
 *
 * @param questions whose vectors are made once
 * @throws ServiceError INVALID_INPUT where there are no vectors to find the best by; from the step TOO_LARGE (more text
 *   than an answer may hold), and what the index throws
 */
export function excerptStep(
  index: DocumentIndex,
  questions: Questions,
  mode: SearchMode,
  wanted: ExcerptsWanted | undefined,
  { signal = new AbortController().signal }: CallOptions,
) {
  if (!wanted) return undefined
  const { passages } = wanted
  if (passages > 0 && mode === 'lexical') throw noVectors()
  return async <C extends Candidate>(lists: readonly (readonly C[])[]): Promise<WithExcerpts<C>[][]> => {
    const { rows } = passages > 0 && lists.length > 0 ? await questions.vectors(signal) : { rows: [] }
    const wishes = lists.flatMap((list, i) =>
      list.map(({ id, passage }): ExcerptWish => {
        const vector = rows[i]
        return { id, ordinal: passage.ordinal, ...(vector && { best: { vector, count: passages } }) }
      }),
    )
    const found = wishes.length > 0 ? await index.excerpts(wishes, { signal }) : []
    let next = 0
    return lists.map((list) => list.map((hit) => ({ ...hit, ...excerptsOf(found[next++]) })))
  }
}

function excerptsOf({ passage, best }: Excerpts = {}): WithExcerpts<object> {
  return { ...(passage && { excerpt: passage }), ...(best && { excerpts: best }) }
}

function noVectors(): ServiceError {
  const message =
    'passages are the best by their vectors, which mode lexical does not have; leave passages out.'
  return new ServiceError('INVALID_INPUT', message, { field: 'passages' })
}
