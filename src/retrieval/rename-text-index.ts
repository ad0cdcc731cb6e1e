import { ServiceError } from '../errors.ts'

/**
 * The encoder counts the texts it was given; the caller counts those of its request. A text over the model's limit
 * is named as the caller knows it; other errors pass as they are.
 * @param name of the text at the encoder's index, as the caller would write it: `texts[3]`
 */
export function renameTextIndex(error: unknown, name: (index: number) => string): unknown {
  if (!(error instanceof ServiceError) || error.code !== 'TEXT_TOO_LONG') return error
  const { index, limit, ...details } = error.details
  const renamed = tooLong(name(Number(index ?? 0)), Number(limit))
  return new ServiceError('TEXT_TOO_LONG', renamed.message, { ...details, ...renamed.details })
}

/** A text with more than `limit` tokens, where it may not be cut. @param field its name in the request */
export function tooLong(field: string, limit: number): ServiceError {
  const message = `${field} has more than ${limit} tokens; shorten it, or ask for truncate: end.`
  return new ServiceError('TEXT_TOO_LONG', message, { field, limit })
}
