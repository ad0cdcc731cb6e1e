import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/settings.ts'
import type { Encoder } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { Chunking, CollectionSettings } from '../index/collection-settings.ts'
import { checkChunking } from '../retrieval/checks/check-chunking.ts'

type ChunkingConfig = Pick<Config, 'chunking' | 'chunkTokens' | 'chunkOverlap' | 'chunkTitle'>

/** How a new collection cuts its documents. @throws ServiceError INVALID_CONFIG for what this model cannot do */
export function chunkingFrom(config: ChunkingConfig, { card }: Encoder): Chunking {
  const { chunking: kind, chunkTokens, chunkOverlap: overlap, chunkTitle: title } = config
  if (kind === 'whole') return { kind }
  const tokensMax = card.bodyTokens.ebae
  try {
    return checkChunking({ kind, tokens: chunkTokens || tokensMax, overlap, title }, tokensMax)
  } catch (error) {
    const { message } = error as ServiceError
    throw new ServiceError('INVALID_CONFIG', `CHUNK_TOKENS and CHUNK_OVERLAP: ${message}`, {}, error)
  }
}

/** Says where a collection that exists is not what the configuration asks for, or is not yet what it was changed to. */
export function sayChunking(
  { chunking, earlierChunking }: CollectionSettings,
  wanted: Pick<CollectionSettings, 'chunking'>,
  say: (message: string) => void,
): void {
  if (earlierChunking) {
    say(
      `Some documents are still found by ${textOf(earlierChunking)}, others by ${textOf(chunking)}: cut the collection again to the end.`,
    )
  } else if (!isDeepStrictEqual(chunking, wanted.chunking)) {
    say(
      `The documents are found by ${textOf(chunking)}, as their collection was made; CHUNKING asks for ${textOf(wanted.chunking)}, which new collections get.`,
    )
  }
}

function textOf(chunking: Chunking): string {
  if (chunking.kind === 'whole') return 'one vector each'
  const { tokens, overlap, title } = chunking
  const repeated = overlap > 0 ? ` that repeat ${overlap}` : ''
  return `passages of up to ${tokens} tokens${repeated}, ${title ? 'with' : 'without'} their titles`
}
