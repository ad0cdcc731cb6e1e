import type { EncodeBothResult, EncodeResult, Prompt, Truncate } from '../encoder/encoder.ts'
import { checkTexts } from './checks/check-text.ts'
import { encodeInWindows } from './encode-bulk.ts'
import { renameTextIndex } from './rename-text-index.ts'
import type { Retrieval, Timings } from './retrieval.ts'

export interface EmbedRequest {
  texts: readonly string[]
  prompt: Prompt | 'both'
  truncate: Truncate
  /** Name of the list in the request, for messages. */
  field: string
  signal?: AbortSignal
}

export interface EmbedResult {
  /** Rows in the order of `texts`, for each prompt asked for. */
  vectors: Partial<Record<Prompt, Float32Array[]>>
  /** Of all texts, prompts included. */
  tokens: number
  /** Indexes of the texts that were cut. */
  truncated: number[]
  timings: Omit<Timings, 'search'>
}

/**
 * Texts to vectors, nothing stored. Few texts take the interactive lane, many the bulk lane.
 * @throws ServiceError INVALID_INPUT, TOO_LARGE, and what the encoder throws
 */
export async function embed(retrieval: Retrieval, request: EmbedRequest): Promise<EmbedResult> {
  const started = performance.now()
  const { encoder, limits } = retrieval
  const { texts, prompt, truncate, signal } = request
  checkTexts(texts, request.field, limits.textBytesMax)
  const run = (part: readonly string[], options: object): Promise<EncodeResult | EncodeBothResult> =>
    prompt === 'both'
      ? encoder.encodeBoth(part, { truncate, ...options })
      : encoder.encode(part, prompt, { truncate, ...options })
  const nameOf = (index: number) => `${request.field}[${index}]`
  const results =
    texts.length <= limits.interactiveTextsMax
      ? [
          await run(texts, { lane: 'interactive', ...(signal && { signal }) }).catch((error) => {
            throw renameTextIndex(error, nameOf)
          }),
        ]
      : await encodeInWindows<EncodeResult | EncodeBothResult>(
          texts,
          limits.ingestBatchDocuments,
          signal,
          nameOf,
          run,
        )
  const vectors: EmbedResult['vectors'] = {}
  for (const result of results) {
    if ('vectors' in result) push(vectors, prompt as Prompt, result.vectors)
    else {
      push(vectors, 'ebar', result.ebar.vectors)
      push(vectors, 'ebae', result.ebae.vectors)
    }
  }
  const slowest = (phase: 'tokenizeMs' | 'queueMs' | 'inferenceMs') =>
    Math.max(...results.map(({ timings }) => timings[phase]))
  return {
    vectors,
    tokens: tokensOf(results),
    truncated: results.flatMap((result, window) => cutIndexes(result, window * limits.ingestBatchDocuments)),
    timings: {
      tokenize: slowest('tokenizeMs'),
      queue: slowest('queueMs'),
      inference: slowest('inferenceMs'),
      total: performance.now() - started,
    },
  }
}

function push(vectors: EmbedResult['vectors'], prompt: Prompt, rows: Float32Array[]): void {
  const list = vectors[prompt] ?? []
  vectors[prompt] = list
  for (const row of rows) list.push(row)
}

/** Sum over all texts of all results. */
export function tokensOf(results: readonly { tokens: Uint32Array }[]): number {
  return results.reduce((sum, { tokens }) => sum + tokens.reduce((a, b) => a + b, 0), 0)
}

/** Indexes of the cut texts, counted from `offset`. */
export function cutIndexes({ truncated }: { truncated: Uint8Array }, offset = 0): number[] {
  return [...truncated].flatMap((cut, index) => (cut === 1 ? [index + offset] : []))
}
