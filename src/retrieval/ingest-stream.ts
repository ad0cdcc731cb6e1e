import type { Truncate } from '../encoder/encoder.ts'
import { ServiceError, toServiceError } from '../errors.ts'
import type { CheckedDocument, IndexedDocument } from '../index/document.ts'
import { checkDocument, type NewDocument } from './checks/check-document.ts'
import { retryWhenOverloaded } from './encode-bulk.ts'
import { inHalves } from './halves.ts'
import { IngestReport, type IngestSummary, type IngestWatch } from './ingest-report.ts'
import { interruptible } from './interruptible.ts'
import { asOnePassage, passageText } from './passages.ts'
import { renameTextIndex } from './rename-text-index.ts'
import type { Retrieval } from './retrieval.ts'

/** One line of a stream: a document, or why it is none. Lines count from 1. */
export type IngestLine = { line: number } & (
  | { document: NewDocument; bytes: number }
  | { error: ServiceError }
)

interface Entry {
  line: number
  document: CheckedDocument
}

interface EncodedEntry {
  line: number
  indexed: IndexedDocument
}

interface Batch {
  entries: Entry[]
  /** Last line the batch reaches, faulty ones included. */
  lastLine: number
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
  options: { truncate: Truncate; signal: AbortSignal; watch?: IngestWatch },
): Promise<IngestSummary> {
  const report = new IngestReport(options.watch)
  const failure = new AbortController()
  const signal = AbortSignal.any([options.signal, failure.signal])
  const onTheirWay: Promise<void>[] = []
  let last = Promise.resolve()
  let firstFailure: unknown
  try {
    for await (const batch of batches(retrieval, interruptible(lines, signal), report)) {
      const encoded = encodeBatch(retrieval, batch, options.truncate, signal, report)
      last = commitAfter(last, encoded, retrieval, batch, report, { signal, caller: options.signal })
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
  { limits, index }: Retrieval,
  lines: AsyncIterable<IngestLine>,
  report: IngestReport,
): AsyncGenerator<Batch> {
  let batch: Batch = { entries: [], lastLine: 0 }
  let count = 0
  let bytes = 0
  for await (const item of lines) {
    batch.lastLine = item.line
    count++
    try {
      if ('error' in item) throw item.error
      const document = checkDocument(item.document, 'document', limits, index.settings)
      batch.entries.push({ line: item.line, document })
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

/** Embeds a batch; a text the encoder refuses is reported and the rest goes on. */
async function encodeBatch(
  { encoder }: Retrieval,
  { entries }: { entries: Entry[] },
  truncate: Truncate,
  signal: AbortSignal,
  report: IngestReport,
): Promise<EncodedEntry[]> {
  const parts = await inHalves(
    entries,
    async (part) => {
      const texts = part.map(({ document }) => passageText(document))
      const result = await retryWhenOverloaded(
        () => encoder.encode(texts, ['ebae'], { lane: 'bulk', truncate, signal }),
        signal,
      )
      report.encoded(
        part.map(({ line, document }) => ({ line, id: document.id })),
        result,
      )
      return part.map(({ line, document }, i) => {
        return { line, indexed: asOnePassage(document, result.vectors.ebae[i]!) }
      })
    },
    ({ line }, error) => report.fault(line, toServiceError(renameTextIndex(error, () => 'text'))),
  )
  return parts.flat()
}

/** Stores a batch after the one before; a document the index refuses is reported and the rest goes on. */
async function commitAfter(
  previous: Promise<void>,
  encoded: Promise<EncodedEntry[]>,
  { index }: Retrieval,
  batch: Batch,
  report: IngestReport,
  { signal, caller }: { signal: AbortSignal; caller: AbortSignal },
): Promise<void> {
  // Both are awaited at once so that neither failure goes unhandled.
  const [, entries] = await Promise.all([previous, encoded])
  await inHalves(
    entries,
    async (part) => {
      const documents = part.map(({ indexed }) => indexed)
      // A later batch's failure does not undo this one, only the caller does.
      const stored = await retryWhenOverloaded(() => index.upsert(documents, { signal: caller }), signal)
      report.committed(documents, stored)
    },
    ({ line }, error) => report.fault(line, error),
  )
  await report.reached(batch.lastLine)
}
