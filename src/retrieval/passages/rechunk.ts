import { ServiceError, toServiceError } from '../../errors.ts'
import type { Chunking } from '../../index/collection-settings.ts'
import type { CheckedDocument, Document, DocumentPart } from '../../index/document.ts'
import { checkDocument } from '../checks/check-document.ts'
import { retryWhenOverloaded } from '../encode-bulk.ts'
import { isOwnFault } from '../halves.ts'
import type { Retrieval } from '../retrieval.ts'
import { embedPlanned } from './embed-planned.ts'
import { encodePatiently } from './encode-texts.ts'
import { type PlannedDocument, planPassages } from './plan.ts'

/** What has been cut anew since the start of the call, page by page. */
export interface RechunkPage {
  /** Documents dealt with. */
  documents: number
  /** Those of them that stay as they were cut before. */
  failed: number
  /** Where the next page begins; null after the last one. */
  cursor: string | null
}

export interface RechunkOptions {
  /** Where an earlier call got to. */
  cursor?: string
  signal: AbortSignal
  /** Called with each document that cannot be cut so: it is found by its old vectors. */
  onFault(id: string, error: ServiceError): void
  /** Called when a page is durable. */
  onPage(page: RechunkPage): Promise<void>
}

/** Times a document is looked at again because somebody wrote it meanwhile. */
const LOOKS_MAX = 10

/**
 * Cuts and embeds all documents of a collection again, from their stored texts, as its settings now say, in the order of
 * their ids and in the bulk lane. Old vectors serve until a document's new ones are stored; what somebody writes meanwhile
 * is never undone.
 *
 * @throws ServiceError CONFLICT where the settings change meanwhile, ABORTED, and what encoder and index throw. What was
 *   stored before stays.
 */
export async function rechunk(retrieval: Retrieval, options: RechunkOptions): Promise<void> {
  const { index, limits } = retrieval
  const { signal, onFault, onPage } = options
  const work = { retrieval, chunking: index.settings.chunking, signal, onFault }
  let { cursor } = options
  for (;;) {
    const page = await retryWhenOverloaded(
      () =>
        index.scan({ limit: limits.ingestBatchDocuments, signal, ...(cursor !== undefined && { cursor }) }),
      signal,
    )
    const failed = await renew(work, page.documents)
    await onPage({ documents: page.documents.length, failed, cursor: page.nextCursor })
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}

interface Work extends Pick<RechunkOptions, 'signal' | 'onFault'> {
  retrieval: Retrieval
  chunking: Chunking
}

/** @returns how many stay as they were */
async function renew(work: Work, documents: readonly DocumentPart[]): Promise<number> {
  let failed = 0
  let left = documents
  for (let looks = 0; left.length > 0; looks++) {
    const { planned, refused } = await plan(work, left as Document[])
    failed += refused
    const changed: string[] = []
    for (const part of inParts(planned, work.retrieval.limits.ingestBatchPassages)) {
      changed.push(...(await store(work, part)))
    }
    if (looks === LOOKS_MAX && changed.length > 0) {
      const message = 'The document is written all the time; cut the collection again later.'
      for (const id of changed) work.onFault(id, new ServiceError('OVERLOADED', message))
      return failed + changed.length
    }
    left = await readAgain(work, changed)
  }
  return failed
}

async function plan({ retrieval, chunking, signal, onFault }: Work, documents: readonly Document[]) {
  const checked: CheckedDocument[] = []
  let refused = 0
  const refuse = (id: string, error: ServiceError) => {
    if (!isOwnFault(error)) throw error
    refused++
    onFault(id, error)
  }
  for (const document of documents) {
    try {
      checked.push(checkDocument(document, 'document', retrieval.limits, retrieval.index.settings))
    } catch (error) {
      refuse(document.id, toServiceError(error))
    }
  }
  const options = { truncate: 'end', nameOf: () => 'document', signal } as const
  const planned: PlannedDocument[] = []
  for (const [i, made] of (await planPassages(retrieval, checked, chunking, options)).entries()) {
    if (made instanceof ServiceError) refuse(checked[i]!.id, made)
    else planned.push(made)
  }
  return { planned, refused }
}

/** @returns ids of documents that somebody has written meanwhile */
async function store({ retrieval, chunking, signal }: Work, part: PlannedDocument[]): Promise<string[]> {
  const embedded = await embedPlanned(part, encodePatiently(retrieval, signal), 'end')
  const documents = embedded.map(({ indexed }) => indexed)
  const { changed = [] } = await retryWhenOverloaded(
    () => retrieval.index.upsert(documents, { chunking, unlessChanged: true, signal }),
    signal,
  )
  return changed
}

/** As they are now; those that are gone or damaged are left out. */
async function readAgain(
  { retrieval: { index }, signal }: Work,
  ids: readonly string[],
): Promise<DocumentPart[]> {
  const found: DocumentPart[] = []
  for (const id of ids) {
    try {
      const [document] = await retryWhenOverloaded(() => index.get([id], { signal }), signal)
      if (document) found.push(document)
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'DOCUMENT_DAMAGED') throw error
    }
  }
  return found
}

/** So that the vectors of each part fit into memory. */
function* inParts(planned: readonly PlannedDocument[], passagesMax: number): Generator<PlannedDocument[]> {
  let part: PlannedDocument[] = []
  let passages = 0
  for (const each of planned) {
    part.push(each)
    passages += each.spans.length
    if (passages < passagesMax) continue
    yield part
    part = []
    passages = 0
  }
  if (part.length > 0) yield part
}
