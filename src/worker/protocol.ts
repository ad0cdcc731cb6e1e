import { type Cause, causeChain, fromCauseChain } from '../cause.ts'
import { type ErrorCode, type ErrorDetails, ServiceError, toServiceError } from '../errors.ts'

/** Messages between a thread and its worker. Buffers named in `transfer` lists change hands without a copy. */
export type ToWorker =
  | { kind: 'call'; id: number; method: string; argument: unknown }
  | { kind: 'abort'; id: number }
  | { kind: 'ping' }
export type FromWorker =
  | { kind: 'ready'; value: unknown }
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'failure'; id: number; error: WireError }
  | { kind: 'start-failure'; error: WireError }
  | { kind: 'event'; name: string; value: unknown }
  | { kind: 'pong' }

export interface WireError {
  code: ErrorCode
  message: string
  details: ErrorDetails
  causes: Cause[]
}

/** Any thrown thing as a message; of a fault of ours nothing is lost that its log line needs. */
export function errorToWire(thrown: unknown): WireError {
  const error = toServiceError(thrown)
  const { code, message, details } = error
  const cause = error.cause ?? (code === 'INTERNAL' ? error : undefined)
  return { code, message, details, causes: causeChain(cause) }
}

export function errorFromWire({ code, message, details, causes }: WireError): ServiceError {
  return new ServiceError(code, message, details, fromCauseChain(causes))
}
