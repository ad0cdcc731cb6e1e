import { ServiceError } from '../errors.ts'
import type { DocumentPart } from '../index/document.ts'
import type { CallOptions, GetOptions, ScanOptions, ScanPage } from '../index/document-index.ts'
import type { Filter } from '../index/filter.ts'
import type { Metadata } from '../index/json.ts'
import type { PatchResult } from '../index/metadata/merge-patch.ts'
import { checkDates } from './checks/check-dates.ts'
import { checkId } from './checks/check-document.ts'
import { checkMetadata, METADATA_VALUES_MAX } from './checks/check-metadata.ts'
import { matchesEverything } from './checks/matches-everything.ts'
import type { Retrieval } from './retrieval.ts'

/** @throws ServiceError NOT_FOUND */
export async function readOne({ index }: Retrieval, id: string, options: GetOptions): Promise<DocumentPart> {
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

/** Which documents something is to be done to. */
export type DocumentsTarget = { ids: readonly string[] } | { filter: Filter } | { all: true }

/**
 * Deletes by ids (unknown ones are not an error), by filter, or everything; durable when it resolves.
 * @throws ServiceError INVALID_INPUT for a filter that matches every document: that is said by `all`
 */
export async function remove(
  { index }: Retrieval,
  target: DocumentsTarget,
  options: CallOptions,
): Promise<{ removed: number }> {
  return index.remove(checkTarget(target, 'delete all'), options)
}

/**
 * Merges a patch (RFC 7396) into the metadata of documents; durable when it resolves. Nothing is embedded again.
 *
 * @param merge null takes all metadata away
 * @throws ServiceError INVALID_INPUT, TOO_LARGE, NOT_FOUND for an id without a document: then nothing is changed
 */
export async function patchMetadata(
  { index, limits }: Retrieval,
  target: DocumentsTarget,
  merge: Metadata | null,
  options: CallOptions,
): Promise<PatchResult> {
  const bytesMax = limits.metadataBytesMax
  if (merge) {
    checkMetadata(merge, 'metadata', bytesMax)
    checkDates(merge, 'metadata', index.settings)
  }
  const patch = { merge, bytesMax, valuesMax: METADATA_VALUES_MAX }
  return index.patch(checkTarget(target, 'change all'), patch, options)
}

/** As `patchMetadata`, of one document. @returns its metadata as it is now */
export async function patchOne(
  retrieval: Retrieval,
  id: string,
  merge: Metadata | null,
  options: CallOptions,
): Promise<{ id: string; metadata: Metadata }> {
  try {
    const { metadata = {} } = await patchMetadata(retrieval, { ids: [id] }, merge, options)
    return { id, metadata }
  } catch (error) {
    throw error instanceof ServiceError && error.code === 'NOT_FOUND' ? notFound() : error
  }
}

function checkTarget(target: DocumentsTarget, what: string): { ids: readonly string[] } | { filter: Filter } {
  if ('all' in target) return { filter: { kind: 'and', filters: [] } }
  if ('ids' in target) for (const [i, id] of target.ids.entries()) checkId(id, `ids[${i}]`)
  else if (matchesEverything(target.filter)) {
    const message = `filter matches every document; send {"all": true} to ${what}, or narrow the filter.`
    throw new ServiceError('INVALID_INPUT', message, { field: 'filter' })
  }
  return target
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
