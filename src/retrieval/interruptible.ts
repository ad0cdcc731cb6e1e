import { ServiceError } from '../errors.ts'

/** The items of `source` until it ends or the signal fires, which does not wait for the next item. */
export async function* interruptible<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(new ServiceError('ABORTED', 'The request was abandoned.'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  aborted.catch(() => {})
  for (;;) {
    const result = await Promise.race([iterator.next(), aborted])
    if (result.done) return
    yield result.value
  }
}
