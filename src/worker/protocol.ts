import { type ErrorCode, type ErrorDetails, ServiceError, toServiceError } from '../errors.ts'

/** Messages between a thread and its worker. Buffers named in `transfer` lists change hands without a copy. */
export type ToWorker =
  | { kind: 'call'; id: number; method: string; argument: unknown }
  | { kind: 'abort'; id: number }
export type FromWorker =
  | { kind: 'ready'; value: unknown }
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'failure'; id: number; error: WireError }
  | { kind: 'start-failure'; error: WireError }
  | { kind: 'event'; name: string; value: unknown }

export interface WireError {
  code: ErrorCode
  message: string
  details: ErrorDetails
  /** Stack of the original, for the log. */
  cause: string | undefined
}

export function errorToWire(thrown: unknown): WireError {
  const error = toServiceError(thrown)
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined
  return { code: error.code, message: error.message, details: error.details, cause }
}

export function errorFromWire(wire: WireError): ServiceError {
  return new ServiceError(wire.code, wire.message, wire.details, wire.cause)
}
