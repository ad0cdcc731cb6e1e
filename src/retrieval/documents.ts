import { ServiceError } from '../errors.ts'
import type { DocumentPart } from '../index/document.ts'
import type { CallOptions, ScanOptions, ScanPage } from '../index/document-index.ts'
import type { Filter } from '../index/filter.ts'
import { checkId } from './checks/check-document.ts'
import { matchesEverything } from './checks/matches-everything.ts'
import type { Retrieval } from './retrieval.ts'

/** @throws ServiceError NOT_FOUND */
export async function readOne({ index }: Retrieval, id: string, options: CallOptions): Promise<DocumentPart> {
  const [document] = await index.get([id], options)
  if (!document) throw notFound()
  return document
}

/** One page of documents in id order, and how many match in all, if asked for. */
export async function list(
  { index }: Retrieval,
  { count, ...options }: ScanOptions & { count?: boolean },
): Promise<ScanPage & { total?: number }> {
  const { filter, signal } = options
  const [page, total] = await Promise.all([
    index.scan(options),
    count ? index.count({ signal, ...(filter && { filter }) }) : undefined,
  ])
  return { ...page, ...(total !== undefined && { total }) }
}

export type RemoveTarget = { ids: readonly string[] } | { filter: Filter } | { all: true }

/**
 * Deletes by ids (unknown ones are not an error), by filter, or everything; durable when it resolves.
 * @throws ServiceError INVALID_INPUT for a filter that matches every document: that is said by `all`
 */
export async function remove(
  { index }: Retrieval,
  target: RemoveTarget,
  options: CallOptions,
): Promise<{ removed: number }> {
  if ('all' in target) return index.remove({ filter: { kind: 'and', filters: [] } }, options)
  if ('ids' in target) for (const [i, id] of target.ids.entries()) checkId(id, `ids[${i}]`)
  else if (matchesEverything(target.filter)) {
    const message = 'filter matches every document; send {"all": true} to delete all, or narrow the filter.'
    throw new ServiceError('INVALID_INPUT', message, { field: 'filter' })
  }
  return index.remove(target, options)
}

/** @throws ServiceError NOT_FOUND */
export async function removeOne(
  { index }: Retrieval,
  id: string,
  options: CallOptions,
): Promise<{ removed: number }> {
  const result = await index.remove({ ids: [id] }, options)
  if (result.removed === 0) throw notFound()
  return result
}

function notFound(): ServiceError {
  return new ServiceError('NOT_FOUND', 'There is no document with this id.')
}
