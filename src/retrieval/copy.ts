import { ServiceError, toServiceError } from '../errors.ts'
import type { Chunking, CollectionSettings } from '../index/collection-settings.ts'
import type { Document, IndexedDocument, Passage } from '../index/document.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import { checkDocument } from './checks/check-document.ts'
import { retryWhenOverloaded } from './encode-bulk.ts'
import { embedPlanned } from './passages/embed-planned.ts'
import { encodePatiently } from './passages/encode-texts.ts'
import { type PlannedDocument, planPassages } from './passages/plan.ts'
import { storeAsWanted } from './passages/store-as-wanted.ts'
import type { Retrieval } from './retrieval.ts'

/** Faults that a report names; they are counted on. */
const FAULTS_MAX = 100

export interface CopyFault {
  id: string
  code: string
  detail: string
}

/** How far a copy has come. */
export interface CopyReport {
  copied: number
  /** Documents that the target had already: they are left as they are. */
  kept: number
  /** Documents that the target does not take. */
  failed: number
  /** The first of those. */
  errors: CopyFault[]
}

export interface CopyOptions {
  /** Whether the vectors of both mean the same. They are taken where documents are cut alike, too; else texts are embedded. */
  sameVectors: boolean
  /** Where an earlier copy got to. */
  cursor?: string
  signal: AbortSignal
  /** Called after each page is durable; the cursor goes on from there, and is null at the end. */
  onPage?: (report: CopyReport, cursor: string | null) => void | Promise<void>
}

/**
 * Copies documents of one collection into another, in the order of their ids, page by page, in the background lane. What
 * is written to the source meanwhile, before where the copy is, is not in it.
 *
 * @throws ServiceError ABORTED; OTHER_MODEL, INVALID_INPUT where texts of the target cannot be embedded; what encoder and
 *   indexes throw. Pages before that are stored.
 */
export async function copyDocuments(
  from: DocumentIndex,
  to: Retrieval,
  { sameVectors, cursor: first, signal, onPage }: CopyOptions,
): Promise<CopyReport> {
  const report: CopyReport = { copied: 0, kept: 0, failed: 0, errors: [] }
  let cursor: string | undefined = first
  for (;;) {
    const page = await patiently(signal, () =>
      from.scan({ limit: to.limits.ingestBatchDocuments, signal, ...(cursor !== undefined && { cursor }) }),
    )
    const documents = page.documents as Document[]
    const ids = documents.map(({ id }) => id)
    const there = await patiently(signal, () => to.index.get(ids, { fields: [], signal }))
    const missing = documents.filter((_, i) => there[i] === undefined)
    report.kept += documents.length - missing.length
    const takesVectors = sameVectors && cutAlike(from.settings, to.index.settings)
    if (takesVectors) await copyWhole(from, to, missing, report, signal)
    else await copyTexts(to, missing, report, signal)
    await onPage?.(report, page.nextCursor)
    if (page.nextCursor === null) return report
    cursor = page.nextCursor
  }
}

/** Whether the passages of one are those that the other would have. */
function cutAlike(from: CollectionSettings, to: CollectionSettings): boolean {
  const same = (a: Chunking, b: Chunking) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
  return from.earlierChunking === undefined && same(from.chunking, to.chunking)
}

function sorted(chunking: Chunking): [string, unknown][] {
  return Object.entries(chunking).sort(([a], [b]) => (a < b ? -1 : 1))
}

async function copyWhole(
  from: DocumentIndex,
  to: Retrieval,
  documents: readonly Document[],
  report: CopyReport,
  signal: AbortSignal,
): Promise<void> {
  const ids = documents.map(({ id }) => id)
  const passages = await patiently(signal, () => from.passages(ids, { signal }))
  const checked = checkedOf(to, documents, report)
  const byId = new Map(ids.map((id, i) => [id, passages[i]]))
  // One that was deleted meanwhile has none.
  const indexed = checked.flatMap((document): IndexedDocument[] => {
    const found: readonly Passage[] | undefined = byId.get(document.id)
    return found ? [{ document, passages: found }] : []
  })
  if (indexed.length === 0) return
  await patiently(signal, () => to.index.upsert(indexed, { signal }))
  report.copied += indexed.length
}

async function copyTexts(
  to: Retrieval,
  documents: readonly Document[],
  report: CopyReport,
  signal: AbortSignal,
): Promise<void> {
  const checked = checkedOf(to, documents, report)
  const embed = async () => {
    const { chunking } = to.index.settings
    const options = { truncate: 'end', nameOf: (i: number) => checked[i]!.id, signal } as const
    const plans = await planPassages(to, checked, chunking, options)
    const refused = plans.flatMap((plan, i) =>
      plan instanceof ServiceError ? [{ id: checked[i]!.id, error: plan }] : [],
    )
    const planned = plans.filter((plan): plan is PlannedDocument => !(plan instanceof ServiceError))
    const embedded = await embedPlanned(planned, encodePatiently(to, signal), 'end')
    return { chunking, refused, indexed: embedded.map((each) => each.indexed) }
  }
  if (checked.length === 0) return
  await storeAsWanted(await embed(), embed, async ({ chunking, refused, indexed }) => {
    if (indexed.length > 0) await patiently(signal, () => to.index.upsert(indexed, { signal, chunking }))
    report.copied += indexed.length
    for (const { id, error } of refused) fault(report, id, error)
  })
}

/** Those that the target takes: it may have other limits, or other fields that are dates. */
function checkedOf({ limits, index }: Retrieval, documents: readonly Document[], report: CopyReport) {
  return documents.flatMap((document) => {
    try {
      return [checkDocument(document, 'document', limits, index.settings)]
    } catch (error) {
      fault(report, document.id, toServiceError(error))
      return []
    }
  })
}

function fault(report: CopyReport, id: string, { code, message }: ServiceError): void {
  report.failed++
  if (report.errors.length < FAULTS_MAX) report.errors.push({ id, code, detail: message })
}

/** A full index means waiting. */
function patiently<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return retryWhenOverloaded(run, signal)
}
