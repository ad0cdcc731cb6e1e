import { ServiceError } from '../../errors.ts'
import type { Document } from '../../index/document-index.ts'
import type { Json, Metadata } from '../../index/json.ts'
import type { RetrievalLimits } from '../retrieval.ts'
import { checkText, checkUnicode } from './check-text.ts'

/** A document as callers give it. */
export interface NewDocument {
  id?: string
  text: string
  title?: string | null
  metadata?: Metadata
}

export const ID_BYTES_MAX = 512
const METADATA_DEPTH_MAX = 32
// biome-ignore lint/suspicious/noControlCharactersInRegex: ids with control characters are what this finds
const CONTROL = /[\u0000-\u001f\u007f]/

/**
 * The document to store; an id is made where none was given.
 * @param field where it stands in the request, for messages: `documents[3]`, `line 7`
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function checkDocument(given: NewDocument, field: string, limits: RetrievalLimits): Document {
  const { id = crypto.randomUUID(), text, title = null, metadata = {} } = given
  checkId(id, `${field}.id`)
  checkText(text, `${field}.text`, limits.textBytesMax)
  if (title !== null && title !== '') checkText(title, `${field}.title`, limits.textBytesMax)
  checkMetadata(metadata, `${field}.metadata`, limits.metadataBytesMax)
  return { id, text, title: title === '' ? null : title, metadata }
}

/** @throws ServiceError INVALID_INPUT */
export function checkId(id: string, field: string): void {
  checkUnicode(id, field)
  if (id === '' || CONTROL.test(id) || Buffer.byteLength(id) > ID_BYTES_MAX) {
    const message = `${field} must have 1 to ${ID_BYTES_MAX} bytes and no control characters.`
    throw new ServiceError('INVALID_INPUT', message, { field })
  }
}

function checkMetadata(metadata: Metadata, field: string, bytesMax: number): void {
  checkValue(metadata, field, 0)
  const bytes = Buffer.byteLength(JSON.stringify(metadata))
  if (bytes <= bytesMax) return
  const message = `${field} is longer than ${bytesMax} bytes (METADATA_BYTES_MAX).`
  throw new ServiceError('TOO_LARGE', message, { field, limit: bytesMax })
}

function checkValue(value: Json, field: string, depth: number): void {
  if (depth > METADATA_DEPTH_MAX) {
    const message = `${field} is nested deeper than ${METADATA_DEPTH_MAX} levels.`
    throw new ServiceError('INVALID_INPUT', message, { field })
  }
  if (typeof value === 'string') checkUnicode(value, field)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const element of value) checkValue(element, field, depth + 1)
    return
  }
  for (const [key, element] of Object.entries(value)) {
    checkUnicode(key, field)
    if (key === '__proto__') {
      throw new ServiceError('INVALID_INPUT', `${field} has a field named __proto__; rename it.`, { field })
    }
    checkValue(element, field, depth + 1)
  }
}

/** What a document's embedding is made from: the method embeds passages as "title text". */
export function passage(document: Document): string {
  return document.title === null ? document.text : `${document.title} ${document.text}`
}
