import type { EncodeOptions, EncodeResult, EncodeTimings, Prompt, Truncate } from '../encoder/encoder.ts'
import { checkTexts, textBound } from './checks/check-text.ts'
import { encodeInWindows } from './encode-bulk.ts'
import { renameTextIndex } from './rename-text-index.ts'
import type { Retrieval, Timings } from './retrieval.ts'

export interface EmbedRequest<P extends Prompt = Prompt> {
  texts: readonly string[]
  /** One prompt, or both. */
  prompts: readonly P[]
  truncate: Truncate
  /** Name of the list in the request, for messages. */
  field: string
  signal?: AbortSignal
}

export interface EmbedResult<P extends Prompt = Prompt> {
  /** Rows in the order of `texts`, for each prompt asked for. */
  vectors: Record<P, Float32Array[]>
  /** Of all texts, prompts included. */
  tokens: number
  /** Indexes of the texts that were cut. */
  truncated: number[]
  /** Indexes of the texts that are mostly unknown tokens. */
  mostlyUnknown: number[]
  timings: Omit<Timings, 'search'>
}

/**
 * Texts to vectors, nothing stored. Few texts take the interactive lane, many the bulk lane.
 *
 * @throws ServiceError INVALID_INPUT, TOO_LARGE, and what the encoder throws
 */
export async function embed<P extends Prompt>(
  { encoder, limits }: Retrieval,
  { texts, prompts, truncate, field, signal }: EmbedRequest<P>,
): Promise<EmbedResult<P>> {
  const started = performance.now()
  checkTexts(texts, field, textBound(limits))
  const nameOf = (index: number) => `${field}[${index}]`
  const run = (part: readonly string[], options: EncodeOptions) =>
    encoder.encode(part, prompts, { truncate, ...options })
  const alone = () =>
    run(texts, { lane: 'interactive', ...(signal && { signal }) }).catch((error) => {
      throw renameTextIndex(error, nameOf)
    })
  const windowTexts = limits.ingestBatchDocuments
  const results =
    texts.length <= limits.interactiveTextsMax
      ? [await alone()]
      : await encodeInWindows(texts, windowTexts, signal, nameOf, run)
  return {
    vectors: joined(results, prompts),
    tokens: tokensOf(results),
    truncated: results.flatMap(({ truncated }, window) => flaggedIndexes(truncated, window * windowTexts)),
    mostlyUnknown: results.flatMap(({ mostlyUnknown }, window) =>
      flaggedIndexes(mostlyUnknown, window * windowTexts),
    ),
    timings: { ...slowest(results), total: performance.now() - started },
  }
}

/** The rows of all windows, in their order, for each prompt. */
function joined<P extends Prompt>(
  results: readonly EncodeResult<P>[],
  prompts: readonly P[],
): Record<P, Float32Array[]> {
  const rows = prompts.map((prompt) => [prompt, results.flatMap(({ vectors }) => vectors[prompt])])
  return Object.fromEntries(rows) as Record<P, Float32Array[]>
}

/** Of each phase the longest. */
export function slowest(
  results: readonly { timings: EncodeTimings }[],
): Omit<EmbedResult['timings'], 'total'> {
  const most = (phase: keyof EncodeTimings) => Math.max(...results.map(({ timings }) => timings[phase]))
  return { tokenize: most('tokenizeMs'), queue: most('queueMs'), inference: most('inferenceMs') }
}

/** Sum over all texts of all results. */
export function tokensOf(results: readonly { tokens: Uint32Array }[]): number {
  return results.reduce((sum, { tokens }) => sum + tokens.reduce((a, b) => a + b, 0), 0)
}

/** Indexes of the flags that are 1, counted from `offset`. */
export function flaggedIndexes(flags: Uint8Array, offset = 0): number[] {
  return [...flags].flatMap((flag, index) => (flag === 1 ? [index + offset] : []))
}
