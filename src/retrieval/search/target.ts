import type { EncodeResult } from '../../encoder/encoder.ts'
import { ServiceError } from '../../errors.ts'
import { unitVector } from '../../index/unit-vector.ts'
import { checkText, queryBound } from '../checks/check-text.ts'
import type { Retrieval } from '../retrieval.ts'
import { type Likes, vectorLike } from './likes.ts'

/** What to look for. Queries are embedded as questions (EBAR), or as statements (EBAE) for similarity. */
export type Target =
  | ({ kind: 'texts'; texts: readonly string[]; task: 'retrieval' | 'similarity' } & TextField)
  | { kind: 'vector'; vector: readonly number[] }
  | ({ kind: 'like' } & Likes)

/** Name of the texts in the request. Of several, a faulty one spoils only its own answer. */
type TextField = { field: 'query' | 'queries' }

/** What the encoder says of the queries, where it was asked. */
export type Encoded = Partial<Pick<EncodeResult, 'timings' | 'truncated' | 'mostlyUnknown'>>

/** A target as each leg asks it. */
export interface Questions {
  /** The words of each query, there at once; a vector and a document have none. */
  terms: readonly string[]
  /** The vector of each query: the model runs when this is called. @throws ServiceError NOT_FOUND (`like`) */
  vectors(signal: AbortSignal): Promise<Encoded & { rows: readonly Float32Array[] }>
  /** Documents that are no answers. */
  excluded: ReadonlySet<string>
  /** Which of the target's texts each query is. */
  places: readonly number[]
  /** Why the others are none, by their places. */
  faults: ReadonlyMap<number, ServiceError>
}

/**
 * Checks a target; nothing runs yet.
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function questionsOf({ encoder, index, limits }: Retrieval, target: Target): Questions {
  const one = { terms: [], excluded: new Set<string>(), places: [0], faults: new Map() }
  if (target.kind === 'vector') {
    const row = unitVector(target.vector, index.dimensions)
    return { ...one, vectors: async () => ({ rows: [row] }) }
  }
  if (target.kind === 'like') {
    return {
      ...one,
      excluded: new Set([...target.like, ...target.unlike]),
      vectors: async (signal) => ({ rows: [await vectorLike(index, target, signal)] }),
    }
  }
  const { texts, task } = target
  const faults = faultsOf(target, limits)
  const places = [...texts.keys()].filter((place) => !faults.has(place))
  const terms = places.map((place) => texts[place]!)
  const prompt = task === 'similarity' ? 'ebae' : 'ebar'
  return {
    ...one,
    terms,
    places,
    faults,
    async vectors(signal) {
      if (terms.length === 0) return { rows: [] }
      const { vectors, ...encoded } = await encoder.encode(terms, [prompt], { lane: 'interactive', signal })
      return { ...encoded, rows: vectors[prompt] }
    },
  }
}

/** @throws ServiceError INVALID_INPUT, TOO_LARGE for a text that is the only one */
function faultsOf(
  { texts, field }: { texts: readonly string[] } & TextField,
  limits: { queryBytesMax: number },
): Map<number, ServiceError> {
  const bound = queryBound(limits)
  const faults = new Map<number, ServiceError>()
  for (const [place, text] of texts.entries()) {
    try {
      checkText(text, field === 'query' ? field : `${field}[${place}]`, bound)
    } catch (error) {
      if (field === 'query' || !(error instanceof ServiceError)) throw error
      faults.set(place, error)
    }
  }
  return faults
}
