import type { Truncate } from '../encoder/encoder.ts'
import type { CheckedDocument } from '../index/document.ts'
import { turn } from '../turns.ts'
import { checkDocument, type NewDocument } from './checks/check-document.ts'
import { flaggedIndexes, tokensOf } from './embed.ts'
import { encodeInWindows } from './encode-bulk.ts'
import { asOnePassage, passageText } from './passages.ts'
import type { Retrieval } from './retrieval.ts'

export interface IngestResult {
  /** In the order given, made ones included. */
  ids: string[]
  created: number
  updated: number
  tokens: number
  /** Ids of the documents whose text was cut to the model's limit. */
  truncated: string[]
  /** Indexes of the documents that are mostly unknown tokens. */
  mostlyUnknown: number[]
}

/**
 * Embeds documents (EBAE) and stores them, all or none. Resolves when they are durable and searchable.
 * @throws ServiceError INVALID_INPUT, TOO_LARGE, TEXT_TOO_LONG, and what encoder and index throw
 */
export async function ingest(
  { encoder, index, limits }: Retrieval,
  given: readonly NewDocument[],
  options: { truncate: Truncate; signal?: AbortSignal },
): Promise<IngestResult> {
  const documents: CheckedDocument[] = []
  for (const [i, document] of given.entries()) {
    const others = turn()
    if (others) await others
    documents.push(checkDocument(document, `documents[${i}]`, limits, index.settings))
  }
  const windowTexts = limits.ingestBatchDocuments
  const results = await encodeInWindows(
    documents.map(passageText),
    windowTexts,
    options.signal,
    (i) => `documents[${i}]`,
    (texts, bulk) => encoder.encode(texts, ['ebae'], { ...bulk, truncate: options.truncate }),
  )
  const vectors = results.flatMap((result) => result.vectors.ebae)
  const indexed = documents.map((document, i) => asOnePassage(document, vectors[i]!))
  const stored = await index.upsert(indexed, { signal: options.signal })
  const flagged = (flag: 'truncated' | 'mostlyUnknown') =>
    results.flatMap((result, window) => flaggedIndexes(result[flag], window * windowTexts))
  return {
    ids: documents.map(({ id }) => id),
    ...stored,
    tokens: tokensOf(results),
    truncated: flagged('truncated').map((i) => documents[i]!.id),
    mostlyUnknown: flagged('mostlyUnknown'),
  }
}
