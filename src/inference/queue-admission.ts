import type { Lane } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { EncoderLimits, QueueCost } from './limits.ts'
import type { LoadCounters } from './load-counters.ts'

/** Shortest wait told to a refused caller: one batch will have run by then. */
const RETRY_MS_MIN = 100

/** @throws ServiceError INVALID_INPUT or TOO_LARGE, with the `index` of the text at fault */
export function checkTexts(texts: readonly string[], limits: EncoderLimits): void {
  texts.forEach((text, index) => {
    if (!/\S/.test(text)) {
      throw new ServiceError('INVALID_INPUT', `Text ${index} is empty; send text or leave it out.`, { index })
    }
    if (text.length > limits.textCharsMax) {
      throw new ServiceError(
        'TOO_LARGE',
        `Text ${index} has ${text.length} characters; the limit is ${limits.textCharsMax}. Split it.`,
        { index, limit: limits.textCharsMax },
      )
    }
    // Node has had isWellFormed since 20; the compiler's library for ES2023 does not know it.
    if (!(text as string & { isWellFormed(): boolean }).isWellFormed()) {
      throw new ServiceError(
        'INVALID_INPUT',
        `Text ${index} is not well-formed Unicode (half a surrogate pair); it was cut or decoded wrongly.`,
        { index },
      )
    }
  })
}

/**
 * Takes places in the lane's queue for all texts of a call, or none.
 *
 * @throws ServiceError TOO_LARGE for a call that would not fit into an empty queue, OVERLOADED (`retryAfterMs`) for
 *   one that does not fit now
 */
export function admit(cost: QueueCost, lane: Lane, counters: LoadCounters, limits: EncoderLimits): void {
  const max = { texts: limits.queueTextsMax, tokens: limits.queueTokensMax, chars: limits.queueCharsMax }
  const units = ['texts', 'tokens', 'chars'] as const
  const tooMany = units.find((unit) => cost[unit] > max[unit])
  if (tooMany) {
    throw new ServiceError(
      'TOO_LARGE',
      `One call may bring ${max[tooMany]} ${tooMany}, this one has about ${cost[tooMany]}. Send it in parts.`,
      { limit: max[tooMany] },
    )
  }
  const waiting = counters.waiting(lane)
  if (units.some((unit) => waiting[unit] + cost[unit] > max[unit])) {
    const retryAfterMs = Math.max(RETRY_MS_MIN, Math.ceil(counters.drainMs()))
    throw new ServiceError('OVERLOADED', 'The encoder has as much waiting as it may; try again later.', {
      retryAfterMs,
      lane,
    })
  }
  counters.queue(lane, cost)
}
