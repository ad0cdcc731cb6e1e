import { ServiceError } from '../errors.ts'
import type { Document, ScanPage } from '../index/document-index.ts'
import type { Filter } from '../index/filter.ts'
import type { Retrieval } from './retrieval.ts'

/** @throws ServiceError NOT_FOUND */
export async function readOne({ store }: Retrieval, id: string): Promise<Document> {
  const [document] = await store.get([id])
  if (!document) throw new ServiceError('NOT_FOUND', 'There is no document with this id.')
  return document
}

/** One page of documents in id order. */
export async function list(
  { store }: Retrieval,
  page: { cursor?: string; limit: number; filter?: Filter },
): Promise<ScanPage> {
  return store.scan(page)
}
