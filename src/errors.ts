/**
 * Every way the service says no. Codes are stable and carry no HTTP meaning: `http/` maps each to a status in
 * one total table, so adding a code without deciding its status does not compile.
 */
export const ERROR_CODES = [
  /** A request, document, filter or option that breaks its own rules; the message says which and how to mend it. */
  'INVALID_INPUT',
  /** A text longer than the model's token limit, where the caller asked for `truncate: error`. */
  'TEXT_TOO_LONG',
  /** More items, bytes or tokens than a named limit allows. */
  'TOO_LARGE',
  /** A document or a page cursor that does not exist. */
  'NOT_FOUND',
  /** Reranking, of a service that runs no reranker. */
  'NO_RERANKER',
  /** What exists already, or is still needed by something that exists. */
  'CONFLICT',
  /** A text for a collection whose vectors another model made than the one that runs. */
  'OTHER_MODEL',
  /** A stored document that does not fit its checksum, or cannot be read: it is not served. */
  'DOCUMENT_DAMAGED',
  /** No key, or an unknown one. */
  'UNAUTHORIZED',
  /** A known key without the scope the route needs. */
  'FORBIDDEN',
  /** A bounded queue is full: try again after `retryAfterMs`. */
  'OVERLOADED',
  /** The caller has used up what it may in a minute: try again after `retryAfterMs`. */
  'RATE_LIMITED',
  /** The service is starting, draining, or one of its parts has stopped. */
  'UNAVAILABLE',
  /** The caller sends its request slower than a named limit allows. */
  'TOO_SLOW',
  /** The caller went away or its deadline passed. */
  'ABORTED',
  /** A model folder, checkpoint or device that cannot be used as it is. */
  'MODEL_UNUSABLE',
  /** Stored data that is damaged or belongs to another model or format. */
  'STORE_UNUSABLE',
  /** A setting that is unknown or malformed. */
  'INVALID_CONFIG',
  /** A fault of ours. */
  'INTERNAL',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** Extra facts for the caller: `retryAfterMs`, `limit`, `field`, `index`, ... Never texts or vectors. */
export type ErrorDetails = Record<string, string | number | boolean | string[]>

/** The one error class of the service. `message` is safe to show to the caller and says what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** Any thrown thing as a ServiceError; what is not one already becomes INTERNAL, with the original as cause. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  return new ServiceError(
    'INTERNAL',
    'Something failed inside the service; its log has the cause.',
    {},
    thrown ?? new Error(`${thrown} was thrown`),
  )
}
