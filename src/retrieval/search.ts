import type { EncodeResult } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { Passage } from '../index/document.ts'
import type { Probe, SearchOptions, SearchResult } from '../index/document-index.ts'
import { unitVector } from '../index/unit-vector.ts'
import { checkText, checkTexts, queryBound } from './checks/check-text.ts'
import { flaggedIndexes } from './embed.ts'
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
}

export interface SearchAnswer {
  /** One per text; one for a vector or a document. */
  batches: SearchResult[]
  /** Indexes of the texts that were cut to the model's limit. */
  truncated: number[]
  /** Indexes of the texts that are mostly unknown tokens. */
  mostlyUnknown: number[]
  timings: Timings
}

/**
 * The k nearest documents of each target. A `like` search leaves the document itself out.
 * @throws ServiceError INVALID_INPUT, NOT_FOUND (`like`), and what encoder and store throw
 */
export async function search(retrieval: Retrieval, request: SearchRequest): Promise<SearchAnswer> {
  const started = performance.now()
  const { target, k, options } = request
  const { probes, timings, truncated, mostlyUnknown } = await probesFor(retrieval, target, options.signal)
  const searchStarted = performance.now()
  const excluded = target.kind === 'like' ? target.id : undefined
  const found = await retrieval.index.search(probes, excluded === undefined ? k : k + 1, options)
  const ended = performance.now()
  return {
    batches: found.map((result) => without(result, excluded, k)),
    truncated: truncated ? flaggedIndexes(truncated) : [],
    mostlyUnknown: mostlyUnknown ? flaggedIndexes(mostlyUnknown) : [],
    timings: {
      tokenize: timings?.tokenizeMs ?? 0,
      queue: timings?.queueMs ?? 0,
      inference: timings?.inferenceMs ?? 0,
      search: ended - searchStarted,
      total: ended - started,
    },
  }
}

async function probesFor(
  { encoder, index, limits }: Retrieval,
  target: Target,
  signal: AbortSignal | undefined,
): Promise<{ probes: Probe[] } & Partial<Pick<EncodeResult, 'timings' | 'truncated' | 'mostlyUnknown'>>> {
  if (target.kind === 'vector') return { probes: [{ vector: unitVector(target.vector, index.dimensions) }] }
  if (target.kind === 'like') {
    const [passages] = await index.passages([target.id], { signal })
    if (!passages) throw new ServiceError('NOT_FOUND', 'There is no document with the id given as `like`.')
    return { probes: [{ vector: meanVector(passages) }] }
  }
  const { texts, field } = target
  if (texts.length === 1) checkText(texts[0]!, field, queryBound(limits))
  else checkTexts(texts, field, queryBound(limits))
  const prompt = target.task === 'similarity' ? 'ebae' : 'ebar'
  const options = { lane: 'interactive' as const, ...(signal && { signal }) }
  const { vectors, ...usage } = await encoder.encode(texts, [prompt], options)
  return { ...usage, probes: vectors[prompt].map((vector) => ({ vector })) }
}

/** What a document as a whole says: its passage's vector, or the mean of several. */
function meanVector(passages: readonly Passage[]): Float32Array {
  const [first, ...others] = passages.map(({ vector }) => vector)
  return others.reduce((sum, vector) => sum.map((value, i) => value + vector[i]!), first!)
}

function without({ hits, path }: SearchResult, id: string | undefined, k: number): SearchResult {
  if (id === undefined) return { hits, path }
  return { hits: hits.filter((hit) => hit.id !== id).slice(0, k), path }
}
