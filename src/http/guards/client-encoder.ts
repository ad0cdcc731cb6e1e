import type { FastifyRequest } from 'fastify'
import type { Encoder } from '../../encoder/encoder.ts'
import type { Retrieval } from '../../retrieval/retrieval.ts'
import { clientOf } from './client.ts'

/** The same parts, with the encoder working for the client of a request. */
export function forClient(retrieval: Retrieval, request: FastifyRequest): Retrieval {
  return { ...retrieval, encoder: clientEncoder(retrieval.encoder, clientOf(request)) }
}

function clientEncoder(encoder: Encoder, client: string): Encoder {
  return {
    card: encoder.card,
    device: encoder.device,
    encode: (texts, prompts, options) => encoder.encode(texts, prompts, { ...options, client }),
    stats: () => encoder.stats(),
    onDeath: (listener) => encoder.onDeath(listener),
    close: () => encoder.close(),
  }
}
