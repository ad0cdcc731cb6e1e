import { ServiceError } from '../../errors.ts'
import type { Chunking } from '../../index/collection-settings.ts'

/** How documents are to be cut, as it was asked for. */
export interface ChunkingWish {
  kind: Chunking['kind']
  /** Default: as many as the model reads. */
  tokens?: number | undefined
  /** Default 0. */
  overlap?: number | undefined
  /** Default true. */
  title?: boolean | undefined
}

/** Fewer tokens would be fragments: a title may take half of them. */
const TOKENS_MIN = 16

/**
 * @param tokensMax most tokens that the model reads of a text
 * @throws ServiceError INVALID_INPUT
 */
export function checkChunking(wish: ChunkingWish, tokensMax: number): Chunking {
  const { kind, tokens = tokensMax, overlap = 0, title = true } = wish
  const invalid = (message: string) => new ServiceError('INVALID_INPUT', message, { field: 'chunking' })
  if (kind === 'whole') {
    if (Object.values(wish).filter((value) => value !== undefined).length === 1) return { kind }
    throw invalid('chunking: tokens, overlap and title go with passages; leave them out with whole.')
  }
  const least = Math.min(TOKENS_MIN, tokensMax)
  if (tokens < least || tokens > tokensMax) {
    throw invalid(`chunking: tokens must be from ${least} to ${tokensMax}, which is what the model reads.`)
  }
  if (overlap * 2 <= tokens) return { kind, tokens, overlap, title }
  throw invalid(`chunking: overlap may be at most half of tokens, ${Math.floor(tokens / 2)}.`)
}
