import { ServiceError } from '../errors.ts'

/** The items of `source` until it ends or the signal fires, which does not wait for the next item. */
export async function* interruptible<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  // One promise an item. Racing every item against one long-lived promise would hold all of them until the end.
  let giveUp = (_reason: ServiceError) => {}
  const abort = () => giveUp(new ServiceError('ABORTED', 'The request was abandoned.'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const result = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = reject
        if (signal.aborted) abort()
        else iterator.next().then(resolve, reject)
      })
      if (result.done) return
      yield result.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
