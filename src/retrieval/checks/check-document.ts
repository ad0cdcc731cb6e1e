import { ServiceError } from '../../errors.ts'
import type { CollectionSettings } from '../../index/collection-settings.ts'
import type { CheckedDocument, Document } from '../../index/document.ts'
import type { Metadata } from '../../index/json.ts'
import { unitVector } from '../../index/unit-vector.ts'
import { checkDates } from './check-dates.ts'
import { checkMetadata } from './check-metadata.ts'
import { checkText, checkUnicode, textBound } from './check-text.ts'

/** A document as callers give it. */
export interface NewDocument {
  id?: string
  text: string
  title?: string | null
  metadata?: Metadata
  /** What it is found by, in place of what the model would make of it. */
  vector?: readonly number[]
}

export const ID_BYTES_MAX = 512
const CONTROL = /\p{Cc}/u

/**
 * The document to store; an id is made where none was given. The only maker of a CheckedDocument.
 *
 * @param field where it stands in the request, for messages: `documents[3]`
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function checkDocument(
  given: NewDocument,
  field: string,
  limits: { textBytesMax: number; metadataBytesMax: number },
  settings: Pick<CollectionSettings, 'dates'>,
): CheckedDocument {
  const { id = crypto.randomUUID(), text, title = null, metadata = {} } = given
  checkId(id, `${field}.id`)
  const bound = textBound(limits)
  checkText(text, `${field}.text`, bound)
  if (title !== null && title !== '') checkText(title, `${field}.title`, bound)
  checkMetadata(metadata, `${field}.metadata`, limits.metadataBytesMax)
  checkDates(metadata, `${field}.metadata`, settings)
  const document: Document = { id, text, title: title === '' ? null : title, metadata }
  return document as CheckedDocument
}

/**
 * A vector that came with a document, at unit length; undefined where none did.
 * @throws ServiceError INVALID_INPUT (of other dimensions than the collection's, not finite, or zero)
 */
export function checkVector(
  vector: readonly number[] | undefined,
  field: string,
  { dimensions }: { dimensions: number },
): Float32Array | undefined {
  if (vector === undefined) return undefined
  try {
    return unitVector(vector, dimensions)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw new ServiceError('INVALID_INPUT', `${field}.${error.message}`, {
      ...error.details,
      field: `${field}.vector`,
    })
  }
}

/** @throws ServiceError INVALID_INPUT */
export function checkId(id: string, field: string): void {
  checkUnicode(id, field)
  if (id === '' || CONTROL.test(id) || Buffer.byteLength(id) > ID_BYTES_MAX) {
    const message = `${field} must have 1 to ${ID_BYTES_MAX} bytes and no control characters.`
    throw new ServiceError('INVALID_INPUT', message, { field })
  }
}
