import type { EncodeResult, Truncate } from '../../encoder/encoder.ts'
import { encodeInWindows, retryWhenOverloaded } from '../encode-bulk.ts'
import type { Retrieval } from '../retrieval.ts'

/** Embeds texts with the prompt of documents, however many there are. Row i is for text i. */
export type EncodeTexts = (texts: readonly string[], truncate: Truncate) => Promise<Encoded>
export type Encoded = Pick<EncodeResult<'ebae'>, 'vectors' | 'tokens' | 'truncated' | 'mostlyUnknown'>

/**
 * For a caller who waits for the answer: the first texts may be refused (OVERLOADED), because nothing is lost yet.
 * @param nameOf names text i as the caller knows it, for messages
 */
export function encodeUnlessFull(
  { encoder, limits }: Retrieval,
  nameOf: (index: number) => string,
  signal: AbortSignal | undefined,
): EncodeTexts {
  let begun = false
  return async (texts, truncate) => {
    const run = () =>
      encodeInWindows(texts, limits.ingestBatchDocuments, signal, nameOf, (part, bulk) =>
        encoder.encode(part, ['ebae'], { ...bulk, truncate }),
      )
    const results = await (begun ? retryWhenOverloaded(run, signal) : run())
    begun = true
    return joined(results)
  }
}

/** For work in the background of its caller: waits for room in the queue, and takes little of it at once. */
export function encodePatiently({ encoder, limits }: Retrieval, signal: AbortSignal): EncodeTexts {
  return async (texts, truncate) => {
    const results: Encoded[] = []
    for (let start = 0; start < texts.length; start += limits.ingestBatchDocuments) {
      const part = texts.slice(start, start + limits.ingestBatchDocuments)
      const options = { lane: 'bulk', truncate, signal } as const
      results.push(await retryWhenOverloaded(() => encoder.encode(part, ['ebae'], options), signal))
    }
    return joined(results)
  }
}

function joined(results: readonly Encoded[]): Encoded {
  const [first] = results
  if (first && results.length === 1) return first
  return {
    vectors: { ebae: results.flatMap(({ vectors }) => vectors.ebae) },
    tokens: Uint32Array.from(results.flatMap(({ tokens }) => [...tokens])),
    truncated: Uint8Array.from(results.flatMap(({ truncated }) => [...truncated])),
    mostlyUnknown: Uint8Array.from(results.flatMap(({ mostlyUnknown }) => [...mostlyUnknown])),
  }
}
