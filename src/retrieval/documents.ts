import { ServiceError } from '../errors.ts'
import type { Document } from '../index/document.ts'
import type { CallOptions, ScanOptions, ScanPage } from '../index/document-index.ts'
import type { Filter } from '../index/filter.ts'
import { checkId } from './checks/check-document.ts'
import type { Retrieval } from './retrieval.ts'

/** @throws ServiceError NOT_FOUND */
export async function readOne({ index }: Retrieval, id: string, options: CallOptions): Promise<Document> {
  const [document] = await index.get([id], options)
  if (!document) throw notFound()
  return document
}

/** One page of documents in id order. */
export function list({ index }: Retrieval, options: ScanOptions): Promise<ScanPage> {
  return index.scan(options)
}

/** Deletes by ids (unknown ones are not an error) or by filter; durable when it resolves. */
export async function remove(
  { index }: Retrieval,
  target: { ids: readonly string[] } | { filter: Filter },
  options: CallOptions,
): Promise<{ removed: number }> {
  if ('ids' in target) for (const [i, id] of target.ids.entries()) checkId(id, `ids[${i}]`)
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
