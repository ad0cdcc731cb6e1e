import type { IncomingMessage } from 'node:http'
import { ServiceError } from '../../errors.ts'

/** What a client must keep to that sends a body in a stream. */
export interface StreamPace {
  /** Longest silence, and the time over which the pace is measured. */
  ingestIdleMsMax: number
  /** Over that time. */
  bodyBytesPerSecondMin: number
}

/**
 * The chunks of a streamed body. The clock runs only while we wait for the client, not while it waits for us. The
 * request is not destroyed at its end, because its `close` is what tells that the client has gone.
 *
 * @throws ServiceError TOO_SLOW for a client that is silent or sends hardly anything, ABORTED for one that has gone
 */
export async function* bodyChunks(body: IncomingMessage, pace: StreamPace): AsyncGenerator<Uint8Array> {
  const iterator = body.iterator({ destroyOnReturn: false })
  const clock = new StreamClock(pace)
  for (;;) {
    const coming = iterator.next().catch((cause) => {
      throw new ServiceError('ABORTED', 'The client closed the connection.', {}, cause)
    })
    const chunk = await clock.wait(coming)
    if (chunk.done) return
    clock.received(chunk.value.length)
    yield chunk.value
  }
}

const LATE = Symbol('late')

/** Time spent waiting for a client and what came in it, one window after the other. */
class StreamClock {
  readonly #pace: StreamPace
  /** Of the current window. */
  #waitedMs = 0
  #bytes = 0

  constructor(pace: StreamPace) {
    this.#pace = pace
  }

  received(bytes: number): void {
    this.#bytes += bytes
  }

  /** @throws ServiceError TOO_SLOW */
  async wait<T>(coming: Promise<T>): Promise<T> {
    const windowMs = this.#pace.ingestIdleMsMax
    for (let silentMs = 0; ; ) {
      const began = performance.now()
      const result = await orLate(coming, windowMs - Math.max(silentMs, this.#waitedMs))
      const ms = performance.now() - began
      this.#waitedMs += ms
      silentMs += ms
      if (result !== LATE) return result
      if (silentMs >= windowMs) throw silent(windowMs)
      if (this.#waitedMs >= windowMs) this.#endWindow()
    }
  }

  #endWindow(): void {
    const { ingestIdleMsMax, bodyBytesPerSecondMin } = this.#pace
    if (this.#bytes * 1000 < bodyBytesPerSecondMin * ingestIdleMsMax) {
      const message = `Only ${this.#bytes} bytes came in ${ingestIdleMsMax} ms of waiting (INGEST_IDLE_MS_MAX); send at least ${bodyBytesPerSecondMin} bytes a second (BODY_BYTES_PER_SECOND_MIN).`
      throw new ServiceError('TOO_SLOW', message, { limit: bodyBytesPerSecondMin })
    }
    this.#waitedMs = 0
    this.#bytes = 0
  }
}

function silent(ms: number): ServiceError {
  const message = `The client sent nothing for ${ms} ms (INGEST_IDLE_MS_MAX).`
  return new ServiceError('TOO_SLOW', message, { limit: ms })
}

async function orLate<T>(coming: Promise<T>, ms: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(resolve, Math.max(1, Math.ceil(ms)), LATE)
  })
  try {
    return await Promise.race([coming, late])
  } finally {
    clearTimeout(timer)
  }
}
