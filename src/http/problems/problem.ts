import { STATUS_CODES } from 'node:http'
import { type ErrorCode, type ErrorDetails, ServiceError } from '../../errors.ts'

/** Faults of the exchange itself, which no other part of the service knows. */
type TransportCode =
  | 'MALFORMED_REQUEST'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'METHOD_NOT_ALLOWED'
  | 'URL_TOO_LONG'
  | 'HEADERS_TOO_LARGE'

/** Every code's status: total, so that a new code cannot be forgotten. */
const STATUS: Record<ErrorCode | TransportCode, number> = {
  INVALID_INPUT: 422,
  TEXT_TOO_LONG: 422,
  TOO_LARGE: 413,
  NOT_FOUND: 404,
  NO_RERANKER: 404,
  CONFLICT: 409,
  OTHER_MODEL: 409,
  DOCUMENT_DAMAGED: 500,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  OVERLOADED: 429,
  RATE_LIMITED: 429,
  TOO_SLOW: 408,
  UNAVAILABLE: 503,
  ABORTED: 503,
  MODEL_UNUSABLE: 503,
  STORE_UNUSABLE: 503,
  INVALID_CONFIG: 500,
  INTERNAL: 500,
  MALFORMED_REQUEST: 400,
  UNSUPPORTED_MEDIA_TYPE: 415,
  METHOD_NOT_ALLOWED: 405,
  URL_TOO_LONG: 414,
  HEADERS_TOO_LARGE: 431,
}

export type ProblemCode = keyof typeof STATUS

/** Statuses that never go out without Retry-After. */
const RETRIED: readonly number[] = [429, 503]

/** Seconds a caller should wait where the error does not say. */
const RETRY_AFTER_S: Partial<Record<ProblemCode, number>> = { OVERLOADED: 1, UNAVAILABLE: 2, ABORTED: 1 }

/** For what somebody has to mend first: a full disk, a damaged model. */
const MENDED_AFTER_S = 30

/** RFC 9457 problem details. `code` is stable; `detail` is for people. */
export interface Problem {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail: string
  request_id: string
  /** Facts for programs: limits, fields, counts. */
  details?: Record<string, unknown>
}

/** A fault of the exchange: wrong method, media type or syntax. */
export class TransportFault extends Error {
  readonly code: TransportCode
  readonly details: ErrorDetails
  constructor(code: TransportCode, message: string, details: ErrorDetails = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

export function problemOf(error: ServiceError | TransportFault, requestId: string): Problem {
  const status = STATUS[error.code]
  const details = Object.entries(error.details).map(([name, value]) => [snakeCase(name), value])
  return {
    type: `urn:llara-serve:problem:${error.code.toLowerCase()}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code: error.code,
    detail: error.message,
    request_id: requestId,
    ...(details.length > 0 && { details: Object.fromEntries(details) }),
  }
}

/** Whole seconds for Retry-After, undefined where trying again is no use. */
export function retryAfterSeconds(error: ServiceError | TransportFault): number | undefined {
  if (!RETRIED.includes(STATUS[error.code])) return undefined
  const ms = error instanceof ServiceError ? error.details['retryAfterMs'] : undefined
  if (typeof ms === 'number') return Math.max(1, Math.ceil(ms / 1000))
  return RETRY_AFTER_S[error.code] ?? MENDED_AFTER_S
}

/** `retryAfterMs` -> `retry_after_ms` */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
