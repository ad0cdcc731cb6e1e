import { ServiceError } from '../../errors.ts'
import type { SearchMode } from '../../index/collection-settings.ts'
import type { DocumentIndex } from '../../index/document-index.ts'
import type { Fusion } from '../fuse/fuse.ts'
import type { Target } from './target.ts'

/** What a search says, or leaves to the collection. */
export interface ModeWish {
  target: Target
  /** Default: the collection's. A vector and a document are compared by vectors alone. */
  mode?: SearchMode
  fusion?: Fusion
  /** Least score, by the measure of the mode. */
  minScore?: number
}

/**
 * How a search is done.
 * @throws ServiceError INVALID_INPUT where the parts of the wish do not fit each other, or the index
 */
export function modeOf(
  { target, mode, fusion, minScore }: ModeWish,
  { settings, capabilities }: Pick<DocumentIndex, 'settings' | 'capabilities'>,
): SearchMode {
  const hasWords = target.kind === 'texts'
  const found = mode ?? (hasWords && capabilities.lexical ? settings.mode : 'dense')
  if (found !== 'dense' && !hasWords) {
    const message = `A ${target.kind === 'vector' ? 'vector' : 'document'} is compared by vectors; leave mode out, or say dense.`
    throw refused('mode', message)
  }
  if (found !== 'dense' && !capabilities.lexical) {
    throw refused('mode', 'This collection finds documents by vectors, not by words; say mode: dense.')
  }
  if (fusion && found !== 'hybrid') {
    throw refused('fusion', `fusion applies to mode hybrid, and this search is ${found}; leave it out.`)
  }
  if (minScore !== undefined) checkMinScore(minScore, found)
  return found
}

function checkMinScore(minScore: number, mode: SearchMode): void {
  if (mode === 'dense' && Math.abs(minScore) > 1) {
    throw refused('min_score', 'min_score is a cosine similarity with mode dense: a number from -1 to 1.')
  }
  if (mode === 'lexical' && minScore < 0) {
    throw refused('min_score', 'min_score is a BM25 score with mode lexical: 0 or more.')
  }
  if (mode === 'hybrid') {
    const message =
      'Fused scores order one answer and mean nothing beyond it, so mode hybrid takes no min_score; leave it out, or say mode: dense.'
    throw refused('min_score', message)
  }
}

function refused(field: string, message: string): ServiceError {
  return new ServiceError('INVALID_INPUT', message, { field })
}
