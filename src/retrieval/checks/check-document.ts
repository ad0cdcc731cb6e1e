import { ServiceError } from '../../errors.ts'
import type { CollectionSettings } from '../../index/collection-settings.ts'
import type { CheckedDocument, Document } from '../../index/document.ts'
import type { Metadata } from '../../index/json.ts'
import { checkDates } from './check-dates.ts'
import { checkMetadata } from './check-metadata.ts'
import { checkText, checkUnicode, textBound } from './check-text.ts'

/** A document as callers give it. */
export interface NewDocument {
  id?: string
  text: string
  title?: string | null
  metadata?: Metadata
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

/** @throws ServiceError INVALID_INPUT */
export function checkId(id: string, field: string): void {
  checkUnicode(id, field)
  if (id === '' || CONTROL.test(id) || Buffer.byteLength(id) > ID_BYTES_MAX) {
    const message = `${field} must have 1 to ${ID_BYTES_MAX} bytes and no control characters.`
    throw new ServiceError('INVALID_INPUT', message, { field })
  }
}
