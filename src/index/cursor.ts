import { ServiceError } from '../errors.ts'
import type { Place, SortKey, SortValue } from './metadata/sort.ts'

/**
 * The cursor of a scan that goes on after a place; opaque to callers, safe in a URL. It holds what the document was
 * sorted by, so that it leads on though the document has been changed or is gone.
 */
export function cursorAfter({ id, values }: Place, sort: readonly SortKey[]): string {
  if (sort.length === 0) return encoded(`1${id}`)
  const written = values.map((value) => (value === undefined ? [] : [value]))
  const keys = sort.map(({ path, order }) => [path, order])
  return encoded(`2${JSON.stringify([id, written, keys])}`)
}

/** @throws ServiceError INVALID_INPUT for anything that cursorAfter did not make for the same sort */
export function placeOfCursor(cursor: string, sort: readonly SortKey[]): Place {
  const text = Buffer.from(cursor, 'base64url').toString()
  const place = sort.length === 0 ? { id: text.slice(1), values: [] } : sortedPlace(text.slice(1))
  if (place && place.id !== '' && cursorAfter(place, sort) === cursor) return place
  throw new ServiceError('INVALID_INPUT', 'cursor was not made by this list; start again without one.', {
    field: 'cursor',
  })
}

/** Undefined where it cannot be one. */
function sortedPlace(json: string): Place | undefined {
  try {
    const [id, written] = JSON.parse(json) as [string, [SortValue?][]]
    const values = written.map(([value]) => value)
    const scalars = values.every((value) => typeof value !== 'object' || value === null)
    return typeof id === 'string' && scalars ? { id, values } : undefined
  } catch {
    return undefined
  }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url')
}
