import type { Truncate } from '../encoder/encoder.ts'
import { checkDocument, type NewDocument, passage } from './checks/check-document.ts'
import { cutIndexes, tokensOf } from './embed.ts'
import { encodeInWindows } from './encode-bulk.ts'
import type { Retrieval } from './retrieval.ts'

export interface IngestResult {
  /** In the order given, made ones included. */
  ids: string[]
  created: number
  updated: number
  tokens: number
  /** Ids of the documents whose text was cut to the model's limit. */
  truncated: string[]
}

/**
 * Embeds documents (EBAE) and stores them, all or none. Resolves when they are durable and searchable.
 * @throws ServiceError INVALID_INPUT, TOO_LARGE, TEXT_TOO_LONG, and what encoder and store throw
 */
export async function ingest(
  { encoder, store, limits }: Retrieval,
  given: readonly NewDocument[],
  options: { truncate: Truncate; signal?: AbortSignal },
): Promise<IngestResult> {
  const documents = given.map((document, index) => checkDocument(document, `documents[${index}]`, limits))
  const windowTexts = limits.ingestBatchDocuments
  const results = await encodeInWindows(
    documents.map(passage),
    windowTexts,
    options.signal,
    (index) => `documents[${index}]`,
    (texts, bulk) => encoder.encode(texts, 'ebae', { ...bulk, truncate: options.truncate }),
  )
  const vectors = results.flatMap((result) => result.vectors)
  const stored = await store.upsert(documents.map((document, i) => ({ ...document, vector: vectors[i]! })))
  const cut = results.flatMap((result, window) => cutIndexes(result, window * windowTexts))
  return {
    ids: documents.map(({ id }) => id),
    ...stored,
    tokens: tokensOf(results),
    truncated: cut.map((index) => documents[index]!.id),
  }
}
