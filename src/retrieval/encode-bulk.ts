import { setTimeout as sleep } from 'node:timers/promises'
import type { EncodeOptions } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import { renameTextIndex } from './rename-text-index.ts'

/** Between two tries where the refusal did not name a time. */
const RETRY_MS = 100
/** Windows with the encoder at once: while one runs, the next is tokenised and queued. */
const WINDOWS_AT_ONCE = 2

/**
 * Work on many texts through a bounded queue, a window at a time, results in order. The first window may be
 * refused (OVERLOADED goes to the caller, nothing is lost yet); later ones wait for room, because work already
 * done would be lost.
 *
 * @param nameOf names text i as the caller knows it, for messages
 * @throws ServiceError ABORTED, or whatever `encode` throws for one window; the others are then given up
 */
export async function encodeInWindows<T>(
  texts: readonly string[],
  windowTexts: number,
  signal: AbortSignal | undefined,
  nameOf: (index: number) => string,
  encode: (window: readonly string[], options: EncodeOptions) => Promise<T>,
): Promise<T[]> {
  const abort = new AbortController()
  const combined = signal ? AbortSignal.any([signal, abort.signal]) : abort.signal
  const starts = Array.from({ length: Math.ceil(texts.length / windowTexts) }, (_, i) => i * windowTexts)
  const results: T[] = []
  let next = 0
  const take = async (): Promise<void> => {
    for (let window = next++; window < starts.length; window = next++) {
      if (combined.aborted) throw abandoned()
      const start = starts[window]!
      const part = texts.slice(start, start + windowTexts)
      const run = () =>
        encode(part, { signal: combined, lane: 'bulk' }).catch((error) => {
          throw renameTextIndex(error, (index) => nameOf(start + index))
        })
      results[window] = window === 0 ? await run() : await retryWhenOverloaded(run, combined)
    }
  }
  try {
    await Promise.all(Array.from({ length: WINDOWS_AT_ONCE }, take))
  } catch (error) {
    abort.abort()
    throw error
  }
  return results
}

/**
 * Runs again for as long as it is refused as OVERLOADED: back-pressure instead of failure.
 *
 * @throws ServiceError ABORTED when the signal fires while it waits, or whatever else `run` throws
 */
export async function retryWhenOverloaded<T>(
  run: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'OVERLOADED') throw error
      const wait = Number(error.details['retryAfterMs'] ?? RETRY_MS)
      await sleep(Math.max(1, wait), undefined, signal && { signal }).catch(() => {
        throw abandoned()
      })
    }
  }
}

function abandoned(): ServiceError {
  return new ServiceError('ABORTED', 'The request was abandoned, or its time was over.')
}
