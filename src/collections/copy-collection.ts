import { ServiceError } from '../errors.ts'
import type { CollectionSettings } from '../index/collection-settings.ts'
import { type CopyReport, copyDocuments } from '../retrieval/copy.ts'
import type { Retrieval } from '../retrieval/retrieval.ts'
import type { Collections, Lease } from './collections.ts'
import type { CollectionLimits } from './limits.ts'

export interface CopyWish {
  /** Its own name, never an alias. */
  from: string
  /** A collection that is not there yet. */
  to: string
  /** What the new one has other than the old one. */
  settings: Partial<CollectionSettings>
}

export interface CopyCollectionOptions {
  limits: Pick<CollectionLimits, 'copyDocumentsMax'>
  signal: AbortSignal
  /** The same, working for whoever asked for the copy. */
  forClient(retrieval: Retrieval): Retrieval
}

/**
 * Makes a collection of another one's documents. Own vectors stay what they are; else it has vectors of the model that
 * runs, taken from the other one where they are the same, or made of its texts. Nothing is left of it when it fails.
 *
 * @throws ServiceError NOT_FOUND, CONFLICT, TOO_LARGE (`copyDocumentsMax`), INVALID_INPUT, ABORTED; what a copy throws
 */
export async function copyCollection(
  collections: Collections,
  { from, to, settings }: CopyWish,
  { limits, signal, forClient }: CopyCollectionOptions,
): Promise<CopyReport> {
  const source = await collections.lease(from, { signal })
  try {
    await checkSize(source, limits)
    const { vectors, dimensions } = await collections.info(from)
    const { earlierChunking: _, ...own } = source.retrieval.index.settings
    await collections.create(to, {
      ...(vectors === 'own' && dimensions !== undefined && { dimensions }),
      settings: { ...own, ...settings },
    })
    const target = await collections.lease(to, { signal })
    try {
      const sameVectors = vectors !== 'other_model'
      const to = forClient(target.retrieval)
      const report = await copyDocuments(source.retrieval.index, to, { sameVectors, signal })
      target.release()
      return report
    } catch (error) {
      target.release()
      await collections.drop(to, {})
      throw error
    }
  } finally {
    source.release()
  }
}

async function checkSize(
  { retrieval }: Lease,
  { copyDocumentsMax }: Pick<CollectionLimits, 'copyDocumentsMax'>,
) {
  const documents = await retrieval.index.count()
  if (documents <= copyDocumentsMax) return
  const message = `The collection has ${documents} documents, and one request copies ${copyDocumentsMax} (COPY_DOCUMENTS_MAX); create the new one, and fill it from your own source or in a job.`
  throw new ServiceError('TOO_LARGE', message, { limit: copyDocumentsMax })
}
