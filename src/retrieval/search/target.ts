import type { EncodeResult } from '../../encoder/encoder.ts'
import { ServiceError } from '../../errors.ts'
import type { Passage } from '../../index/document.ts'
import { unitVector } from '../../index/unit-vector.ts'
import { checkText, checkTexts, queryBound } from '../checks/check-text.ts'
import type { Retrieval } from '../retrieval.ts'

/** What to look for. Queries are embedded as questions (EBAR), or as statements (EBAE) for similarity. */
export type Target =
  | { kind: 'texts'; texts: readonly string[]; task: 'retrieval' | 'similarity'; field: string }
  | { kind: 'vector'; vector: readonly number[] }
  | { kind: 'like'; id: string }

/** What the encoder says of the queries, where it was asked. */
export type Encoded = Partial<Pick<EncodeResult, 'timings' | 'truncated' | 'mostlyUnknown'>>

/** A target as each leg asks it. */
export interface Questions {
  /** The words of each query, there at once; a vector and a document have none. */
  terms: readonly string[]
  /** The vector of each query: the model runs when this is called. @throws ServiceError NOT_FOUND (`like`) */
  vectors(signal: AbortSignal): Promise<Encoded & { rows: readonly Float32Array[] }>
  /** A document that is no answer. */
  excluded: string | undefined
}

/**
 * Checks a target; nothing runs yet.
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function questionsOf({ encoder, index, limits }: Retrieval, target: Target): Questions {
  if (target.kind === 'vector') {
    const row = unitVector(target.vector, index.dimensions)
    return { terms: [], excluded: undefined, vectors: async () => ({ rows: [row] }) }
  }
  if (target.kind === 'like') {
    const { id } = target
    return {
      terms: [],
      excluded: id,
      async vectors(signal) {
        const [passages] = await index.passages([id], { signal })
        if (!passages)
          throw new ServiceError('NOT_FOUND', 'There is no document with the id given as `like`.')
        return { rows: [meanVector(passages)] }
      },
    }
  }
  const { texts, field, task } = target
  if (texts.length === 1) checkText(texts[0]!, field, queryBound(limits))
  else checkTexts(texts, field, queryBound(limits))
  const prompt = task === 'similarity' ? 'ebae' : 'ebar'
  return {
    terms: texts,
    excluded: undefined,
    async vectors(signal) {
      const { vectors, ...encoded } = await encoder.encode(texts, [prompt], { lane: 'interactive', signal })
      return { ...encoded, rows: vectors[prompt] }
    },
  }
}

/** What a document as a whole says: its passage's vector, or the mean of several. */
function meanVector(passages: readonly Passage[]): Float32Array {
  const [first, ...others] = passages.map(({ vector }) => vector)
  return others.reduce((sum, vector) => sum.map((value, i) => value + vector[i]!), first!)
}
