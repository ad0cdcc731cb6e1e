import type { SortKey } from '../../index/metadata/sort.ts'
import { parsePath } from './parse-path.ts'

/** A field to sort by: `year`, `-year` for the largest first, or as an object. */
export type WireSortKey = string | { field: string; order?: 'asc' | 'desc' | undefined }

/** @throws ServiceError INVALID_INPUT */
export function parseSort(wire: readonly WireSortKey[]): SortKey[] {
  return wire.map((key, i) => {
    if (typeof key !== 'string') {
      return { path: parsePath(key.field, `sort[${i}].field`), order: key.order ?? 'asc' }
    }
    const descends = key.startsWith('-')
    const path = parsePath(descends ? key.slice(1) : key, `sort[${i}]`)
    return { path, order: descends ? 'desc' : 'asc' }
  })
}
