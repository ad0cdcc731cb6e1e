import type { Truncate } from '../encoder/encoder.ts'
import { ServiceError, toServiceError } from '../errors.ts'
import type { Chunking } from '../index/collection-settings.ts'
import { checkDocument, checkVector, type NewDocument } from './checks/check-document.ts'
import { retryWhenOverloaded } from './encode-bulk.ts'
import { inHalves } from './halves.ts'
import { IngestReport, type IngestSummary, type IngestWatch } from './ingest-report.ts'
import { interruptible } from './interruptible.ts'
import { type BroughtDocument, planBrought } from './passages/brought-vectors.ts'
import { type EmbeddedDocument, embedPlanned } from './passages/embed-planned.ts'
import { encodePatiently } from './passages/encode-texts.ts'
import type { PlannedDocument } from './passages/plan.ts'
import { storeAsWanted } from './passages/store-as-wanted.ts'
import { renameTextIndex } from './rename-text-index.ts'
import type { Retrieval } from './retrieval.ts'

/** One line of a stream: a document, or why it is none. Lines count from 1. */
export type IngestLine = { line: number } & (
  | { document: NewDocument; bytes: number }
  | { error: ServiceError }
)

interface Entry extends BroughtDocument {
  line: number
}

interface PlannedEntry extends Entry {
  plan: PlannedDocument
}

interface EmbeddedEntry extends Entry {
  embedded: EmbeddedDocument
}

interface Batch<Item> {
  entries: Item[]
  /** Last line the batch reaches, faulty ones included. */
  lastLine: number
}

interface PlannedBatch extends Batch<PlannedEntry> {
  /** What the plans are for. */
  chunking: Chunking
}

interface StreamOptions {
  truncate: Truncate
  signal: AbortSignal
  watch?: IngestWatch
}

/** What all steps of one stream share. */
interface Stream {
  retrieval: Retrieval
  report: IngestReport
  truncate: Truncate
  /** Fires when the caller gives up, or when a batch has failed. */
  signal: AbortSignal
  /** Fires when the caller gives up. */
  caller: AbortSignal
}

/** Batches between reading and commit: one is stored while the next ones are encoded. */
const BATCHES_AT_ONCE = 3

/**
 * Embeds and stores documents as they arrive, in whole batches and in the order of their lines, in memory that
 * does not grow with the stream: reading waits while enough batches are on their way. A full queue means waiting.
 * A faulty line is reported and skipped; a failure of encoder or store ends the stream with what was committed
 * in the error's details.
 */
export async function ingestStream(
  retrieval: Retrieval,
  lines: AsyncIterable<IngestLine>,
  options: StreamOptions,
): Promise<IngestSummary> {
  const report = new IngestReport(options.watch)
  const failure = new AbortController()
  const signal = AbortSignal.any([options.signal, failure.signal])
  const stream = { retrieval, report, truncate: options.truncate, signal, caller: options.signal }
  const onTheirWay: Promise<void>[] = []
  let last = Promise.resolve()
  let firstFailure: unknown
  try {
    for await (const batch of plannedBatches(stream, batches(stream, interruptible(lines, signal)))) {
      last = commitAfter(last, embedBatch(stream, batch), stream, batch)
      last.catch((error) => {
        firstFailure ??= error
        failure.abort()
      })
      onTheirWay.push(last)
      if (onTheirWay.length >= BATCHES_AT_ONCE) await onTheirWay.shift()
    }
    await last
  } catch (thrown) {
    // What is given up from here on fails because of it.
    const error = toServiceError(firstFailure ?? thrown)
    failure.abort()
    await last.catch(() => {})
    throw new ServiceError(error.code, error.message, { ...error.details, ...report.progress() }, error.cause)
  }
  return report.summary()
}

/** Checked documents in batches, by count (faulty lines too, so that a watcher hears of them) and by bytes. */
async function* batches(
  { retrieval: { limits, index }, report }: Stream,
  lines: AsyncIterable<IngestLine>,
): AsyncGenerator<Batch<Entry>> {
  let batch: Batch<Entry> = { entries: [], lastLine: 0 }
  let count = 0
  let bytes = 0
  for await (const item of lines) {
    batch.lastLine = item.line
    count++
    try {
      if ('error' in item) throw item.error
      const document = checkDocument(item.document, 'document', limits, index.settings)
      const vector = checkVector(item.document.vector, 'document', index)
      batch.entries.push({ line: item.line, document, vector })
      bytes += item.bytes
    } catch (thrown) {
      const error = toServiceError(thrown)
      // A fault of ours is nobody's line: it ends the stream, and is logged.
      if (error.code === 'INTERNAL') throw error
      report.fault(item.line, error)
    }
    if (count >= limits.ingestBatchDocuments || bytes >= limits.ingestBatchBytes) {
      yield batch
      batch = { entries: [], lastLine: 0 }
      count = 0
      bytes = 0
    }
  }
  if (batch.lastLine > 0) yield batch
}

/** The same, cut into passages, in smaller batches where those are many; a document with too many is reported. */
async function* plannedBatches(
  stream: Stream,
  whole: AsyncIterable<Batch<Entry>>,
): AsyncGenerator<PlannedBatch> {
  const { retrieval, report } = stream
  for await (const { entries, lastLine } of whole) {
    const { chunking } = retrieval.index.settings
    const plans = await planEntries(stream, entries, chunking)
    let planned: PlannedEntry[] = []
    let passages = 0
    for (const [i, entry] of entries.entries()) {
      const plan = plans[i]!
      if (plan instanceof ServiceError) report.fault(entry.line, plan)
      else {
        planned.push({ ...entry, plan })
        passages += plan.spans.length
      }
      if (passages < retrieval.limits.ingestBatchPassages) continue
      yield { entries: planned, lastLine: entry.line, chunking }
      planned = []
      passages = 0
    }
    yield { entries: planned, lastLine, chunking }
  }
}

function planEntries(
  { retrieval, truncate, signal }: Stream,
  entries: readonly Entry[],
  chunking: Chunking,
): Promise<(PlannedDocument | ServiceError)[]> {
  return planBrought(retrieval, entries, chunking, { truncate, nameOf: () => 'document', signal })
}

/** Embeds a batch; a text the encoder refuses is reported and the rest goes on. */
async function embedBatch(stream: Stream, { entries }: PlannedBatch): Promise<EmbeddedEntry[]> {
  const { retrieval, truncate, signal, report } = stream
  const parts = await inHalves(
    entries,
    async (part) => {
      const plans = part.map(({ plan }) => plan)
      const embedded = await embedPlanned(plans, encodePatiently(retrieval, signal), truncate)
      report.encoded(
        part.map(({ line }) => line),
        embedded,
      )
      return part.map((entry, i) => ({ ...entry, embedded: embedded[i]! }))
    },
    ({ line }, error) => report.fault(line, toServiceError(renameTextIndex(error, () => 'text'))),
  )
  return parts.flat()
}

/** Stores a batch after the one before; a document the index refuses is reported and the rest goes on. */
async function commitAfter(
  previous: Promise<void>,
  embedding: Promise<EmbeddedEntry[]>,
  stream: Stream,
  { chunking, lastLine }: PlannedBatch,
): Promise<void> {
  // Both are awaited at once so that neither failure goes unhandled.
  const [, entries] = await Promise.all([previous, embedding])
  const { retrieval, report, signal, caller } = stream
  await inHalves(
    entries,
    async (part) => {
      const first = { chunking, embedded: part.map(({ embedded }) => embedded) }
      const again = () => embedAgain(stream, part)
      const store = () =>
        storeAsWanted(first, again, async ({ chunking, embedded }) => {
          const documents = embedded.map(({ indexed }) => indexed)
          // A later batch's failure does not undo this one, only the caller does.
          const stored = await retrieval.index.upsert(documents, { signal: caller, chunking })
          report.committed(embedded, stored)
        })
      await retryWhenOverloaded(store, signal)
    },
    ({ line }, error) => report.fault(line, error),
  )
  await report.reached(lastLine)
}

/** For a collection that wants its documents cut in another way since they were. */
async function embedAgain(stream: Stream, entries: readonly Entry[]) {
  const { retrieval, truncate, signal } = stream
  const { chunking } = retrieval.index.settings
  const plans = (await planEntries(stream, entries, chunking)).map((plan) => {
    if (plan instanceof ServiceError) throw plan
    return plan
  })
  return { chunking, embedded: await embedPlanned(plans, encodePatiently(retrieval, signal), truncate) }
}
