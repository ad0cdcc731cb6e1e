import type { Truncate } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import { turn } from '../turns.ts'
import { checkDocument, checkVector, type NewDocument } from './checks/check-document.ts'
import { type BroughtDocument, planBrought } from './passages/brought-vectors.ts'
import { type EmbeddedDocument, embedPlanned } from './passages/embed-planned.ts'
import { encodeUnlessFull } from './passages/encode-texts.ts'
import type { PlannedDocument } from './passages/plan.ts'
import { storeAsWanted } from './passages/store-as-wanted.ts'
import type { Retrieval } from './retrieval.ts'

export interface IngestResult {
  /** In the order given, made ones included. */
  ids: string[]
  created: number
  updated: number
  /** What the documents are found by. */
  passages: number
  tokens: number
  /** Ids of the documents of which something was cut to the model's limit. */
  truncated: string[]
  /** Indexes of the documents that are mostly unknown tokens. */
  mostlyUnknown: number[]
}

interface IngestOptions {
  truncate: Truncate
  signal?: AbortSignal
}

/**
 * Embeds documents (EBAE) and stores them, all or none. Resolves when they are durable and searchable.
 * @throws ServiceError INVALID_INPUT, TOO_LARGE, TEXT_TOO_LONG, and what encoder and index throw
 */
export async function ingest(
  retrieval: Retrieval,
  given: readonly NewDocument[],
  options: IngestOptions,
): Promise<IngestResult> {
  const { limits, index } = retrieval
  const documents: BroughtDocument[] = []
  for (const [i, document] of given.entries()) {
    const others = turn()
    if (others) await others
    const field = `documents[${i}]`
    documents.push({
      document: checkDocument(document, field, limits, index.settings),
      vector: checkVector(document.vector, field, index),
    })
  }
  const embed = async () => {
    const { chunking } = retrieval.index.settings
    const nameOf = (i: number) => `documents[${i}]`
    const planned = allOf(await planBrought(retrieval, documents, chunking, { ...options, nameOf }))
    checkCount(planned, retrieval.limits)
    const encode = encodeUnlessFull(retrieval, nameOf, options.signal)
    return { chunking, embedded: await embedPlanned(planned, encode, options.truncate) }
  }
  return storeAsWanted(await embed(), embed, async ({ chunking, embedded }) => {
    const indexed = embedded.map((each) => each.indexed)
    const { created, updated } = await retrieval.index.upsert(indexed, { signal: options.signal, chunking })
    return { created, updated, ...usageOf(embedded) }
  })
}

/** @throws ServiceError the first of the faults */
function allOf(plans: readonly (PlannedDocument | ServiceError)[]): PlannedDocument[] {
  return plans.map((plan) => {
    if (plan instanceof ServiceError) throw plan
    return plan
  })
}

/** @throws ServiceError TOO_LARGE */
function checkCount(planned: readonly PlannedDocument[], limits: Retrieval['limits']): void {
  const { passagesPerRequestMax: max } = limits
  const passages = planned.reduce((sum, { spans }) => sum + spans.length, 0)
  if (passages <= max) return
  const message = `documents make ${passages} passages, and one request may have ${max} (PASSAGES_PER_REQUEST_MAX); send fewer at once, or as NDJSON.`
  throw new ServiceError('TOO_LARGE', message, { field: 'documents', limit: max })
}

function usageOf(embedded: readonly EmbeddedDocument[]) {
  const sum = (of: (each: EmbeddedDocument) => number) =>
    embedded.reduce((total, each) => total + of(each), 0)
  return {
    ids: embedded.map(({ indexed }) => indexed.document.id),
    passages: sum(({ indexed }) => indexed.passages.length),
    tokens: sum(({ tokens }) => tokens),
    truncated: embedded.filter(({ truncated }) => truncated).map(({ indexed }) => indexed.document.id),
    mostlyUnknown: embedded.flatMap(({ mostlyUnknown }, i) => (mostlyUnknown ? [i] : [])),
  }
}
