import type { EncodeTimings } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { Hit, SearchOptions, SearchPath, SearchResult } from '../index/document-index.ts'
import { checkText, checkTexts } from './checks/check-text.ts'
import { unitVector } from './checks/unit-vector.ts'
import { cutIndexes } from './embed.ts'
import type { Retrieval, Timings } from './retrieval.ts'

/** What to look for. Queries are embedded as questions (EBAR), or as statements (EBAE) for similarity. */
export type Target =
  | { kind: 'texts'; texts: readonly string[]; task: 'retrieval' | 'similarity'; field: string }
  | { kind: 'vector'; vector: readonly number[] }
  | { kind: 'like'; id: string }

export interface SearchRequest {
  target: Target
  k: number
  options: SearchOptions
  signal?: AbortSignal
}

export interface SearchAnswer {
  /** One per text; one for a vector or a document. */
  batches: { hits: Hit[]; path: SearchPath }[]
  /** Indexes of the texts that were cut to the model's limit. */
  truncated: number[]
  timings: Timings
}

/**
 * The k nearest documents of each target. A `like` search leaves the document itself out.
 * @throws ServiceError INVALID_INPUT, NOT_FOUND (`like`), and what encoder and store throw
 */
export async function search(retrieval: Retrieval, request: SearchRequest): Promise<SearchAnswer> {
  const started = performance.now()
  const { target, k, options } = request
  const { vectors, timings, truncated } = await vectorsOf(retrieval, target, request.signal)
  const searchStarted = performance.now()
  const excluded = target.kind === 'like' ? target.id : undefined
  const found = await retrieval.store.search(vectors, excluded === undefined ? k : k + 1, options)
  const ended = performance.now()
  return {
    batches: found.map((result) => without(result, excluded, k)),
    truncated: truncated ? cutIndexes({ truncated }) : [],
    timings: {
      tokenize: timings?.tokenizeMs ?? 0,
      queue: timings?.queueMs ?? 0,
      inference: timings?.inferenceMs ?? 0,
      search: ended - searchStarted,
      total: ended - started,
    },
  }
}

async function vectorsOf(
  { encoder, store, limits }: Retrieval,
  target: Target,
  signal: AbortSignal | undefined,
): Promise<{ vectors: Float32Array[]; timings?: EncodeTimings; truncated?: Uint8Array }> {
  if (target.kind === 'vector') return { vectors: [unitVector(target.vector, encoder.card.dimensions)] }
  if (target.kind === 'like') {
    const [vector] = await store.vectors([target.id])
    if (!vector) throw new ServiceError('NOT_FOUND', 'There is no document with the id given as `like`.')
    return { vectors: [vector] }
  }
  const { texts, field } = target
  if (texts.length === 1) checkText(texts[0]!, field, limits.textBytesMax)
  else checkTexts(texts, field, limits.textBytesMax)
  const prompt = target.task === 'similarity' ? 'ebae' : 'ebar'
  return encoder.encode(target.texts, prompt, { lane: 'interactive', ...(signal && { signal }) })
}

function without({ hits, path }: SearchResult, id: string | undefined, k: number): SearchResult {
  if (id === undefined) return { hits, path }
  return { hits: hits.filter((hit) => hit.id !== id).slice(0, k), path }
}
