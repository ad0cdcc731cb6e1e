import type { FastifyReply, FastifyRequest } from 'fastify'
import { ServiceError } from '../../errors.ts'
import { FairShare } from '../../sharing/fair-share.ts'
import type { HttpContext, Server } from '../http-context.ts'
import { clientOf } from './client.ts'
import { giveUp } from './deadline.ts'

/**
 * Bodies on their way. They take no place among the requests being served; their bytes are counted as they come,
 * by client and in all, until the answer is out, and they have to keep up a pace. A body that the route reads as a
 * stream is not held here and keeps a clock of its own (wire/ndjson-body.ts).
 */
export function addReceiving(server: Server, { config }: HttpContext): void {
  const { bodyBytesPerSecondMin, bodyWindowMs } = config
  const bytesMax = Math.max(config.bodyMemoryBytesMax, config.bodyBytesMax)
  const memory = new FairShare(bytesMax, config.clientSharePercent)
  const windowBytesMin = (bodyBytesPerSecondMin * bodyWindowMs) / 1000
  const bodies = new WeakMap<FastifyRequest, () => void>()
  const end = async (request: FastifyRequest) => bodies.get(request)?.()

  function watch(request: FastifyRequest, reply: FastifyReply): void {
    const client = clientOf(request)
    let held = 0
    let heldBefore = 0
    const refuse = (error: ServiceError) => {
      stop()
      giveUp(error, request, reply, config)
    }
    const count = ({ length }: Buffer) => {
      // The only body of a client may grow into all that is free.
      if (memory.take(client, length, held)) held += length
      else refuse(noMemory(bytesMax))
    }
    const timer = setInterval(() => {
      if (held - heldBefore < windowBytesMin) refuse(tooSlow(held - heldBefore, config))
      heldBefore = held
    }, bodyWindowMs)
    const stop = () => {
      clearInterval(timer)
      request.raw.removeListener('data', count)
      bodies.delete(request)
    }
    bodies.set(request, stop)
    // Not `on`, which would start the flow before the parser listens.
    request.raw.prependListener('data', count)
    reply.raw.once('close', () => {
      stop()
      memory.give(client, held)
    })
  }

  server.addHook('preParsing', async (request, reply) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
    const hasBody = length !== '0' || coding !== undefined
    if (hasBody && request.method !== 'GET' && request.method !== 'HEAD' && !reply.raw.destroyed) {
      watch(request, reply)
    }
  })
  // The body is whole, or a stream that the route reads; or it was refused, and its rest is thrown away.
  server.addHook('preValidation', end)
  server.addHook('onSend', end)
}

function noMemory(limit: number): ServiceError {
  const message = `The bodies being received and served hold as much memory as they may (BODY_MEMORY_BYTES_MAX, of which one client gets a share); try again in a moment, or send fewer at once.`
  return new ServiceError('OVERLOADED', message, { retryAfterMs: 1000, limit })
}

/** A client that holds a connection open and sends next to nothing. */
function tooSlow(
  bytes: number,
  { bodyBytesPerSecondMin, bodyWindowMs }: { bodyBytesPerSecondMin: number; bodyWindowMs: number },
): ServiceError {
  const message = `Only ${bytes} bytes of the body came in ${bodyWindowMs} ms; send at least ${bodyBytesPerSecondMin} bytes a second (BODY_BYTES_PER_SECOND_MIN).`
  return new ServiceError('TOO_SLOW', message, { limit: bodyBytesPerSecondMin })
}
