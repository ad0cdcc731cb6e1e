import { ServiceError } from '../../errors.ts'
import { FairShare } from '../../sharing/fair-share.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { clientOf } from './client.ts'

const FAILED = 400

/**
 * Answers on their way: their bytes are counted, by client and in all, until they have been read or broken off, so that
 * a client which asks and does not read cannot fill the memory. What would be too much is not sent: 429.
 */
export function addAnswers(server: Server, { config }: HttpContext): void {
  const { answerMemoryBytesMax, clientSharePercent } = config
  const memory = new FairShare(answerMemoryBytesMax, clientSharePercent)
  server.addHook('onSend', async (request, { raw, statusCode }, payload) => {
    // Problems are small, and have to come through; streams hold little at a time.
    const whole = typeof payload === 'string' || Buffer.isBuffer(payload)
    if (!whole || statusCode >= FAILED || raw.destroyed) return payload
    const client = clientOf(request)
    const bytes = Buffer.byteLength(payload)
    // The only answer of a client may be as large as all that is free.
    if (!memory.take(client, bytes)) throw unread(answerMemoryBytesMax)
    raw.once('close', () => memory.give(client, bytes))
    return payload
  })
}

function unread(limit: number): ServiceError {
  const message =
    'The answers that wait to be read hold as much memory as they may (ANSWER_MEMORY_BYTES_MAX, of which one client gets a share); read them first, or ask for less at once.'
  return new ServiceError('OVERLOADED', message, { retryAfterMs: 1000, limit })
}
