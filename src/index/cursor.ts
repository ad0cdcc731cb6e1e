import { ServiceError } from '../errors.ts'

/** The cursor of a scan that goes on after a document; opaque to callers, safe in a URL. */
export function cursorAfter(id: string): string {
  return Buffer.from(`1${id}`).toString('base64url')
}

/** @throws ServiceError INVALID_INPUT for anything that cursorAfter did not make */
export function idOfCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  const id = text.slice(1)
  if (!text.startsWith('1') || id === '' || cursorAfter(id) !== cursor) {
    throw new ServiceError('INVALID_INPUT', 'cursor was not made by this list; start again without one.', {
      field: 'cursor',
    })
  }
  return id
}
