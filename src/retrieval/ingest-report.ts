import type { EncodeResult } from '../encoder/encoder.ts'
import type { ServiceError } from '../errors.ts'
import type { IndexedDocument } from '../index/document.ts'
import type { UpsertResult } from '../index/document-index.ts'

/** Entries of each list in a summary; totals count on. */
export const REPORT_ENTRIES_MAX = 1000

export interface LineFault {
  line: number
  code: string
  detail: string
}

export interface LineDocument {
  line: number
  id: string
}

export interface IngestSummary {
  created: number
  updated: number
  /** Lines that were not stored. */
  failed: number
  tokens: number
  /** The first ids, in order. */
  ids: string[]
  /** The first ids whose text was cut. */
  truncated: string[]
  truncatedTotal: number
  /** The first documents that are mostly unknown tokens, by line. */
  mostlyUnknown: LineDocument[]
  mostlyUnknownTotal: number
  /** The first faults, by line. */
  errors: LineFault[]
  /** Every line up to this one has been dealt with. */
  lastLine: number
}

/** What has been stored, or refused, up to and including a line. */
export type IngestProgress = Pick<IngestSummary, 'lastLine' | 'created' | 'updated'>

/** Who follows a stream while it runs. */
export interface IngestWatch {
  /** A line that was not stored; others before it may still be on their way. */
  fault(fault: LineFault): void
  /** Every line up to `lastLine` has been dealt with, and the next batch waits. */
  reached(progress: IngestProgress): Promise<void>
}

/** What a stream has come to, in bounded memory. */
export class IngestReport {
  readonly #watch: IngestWatch | undefined
  readonly #summary: IngestSummary = {
    created: 0,
    updated: 0,
    failed: 0,
    tokens: 0,
    ids: [],
    truncated: [],
    truncatedTotal: 0,
    mostlyUnknown: [],
    mostlyUnknownTotal: 0,
    errors: [],
    lastLine: 0,
  }

  constructor(watch?: IngestWatch) {
    this.#watch = watch
  }

  fault(line: number, error: ServiceError): void {
    this.#summary.failed++
    const fault = { line, code: error.code, detail: error.message }
    if (this.#summary.errors.length < REPORT_ENTRIES_MAX) this.#summary.errors.push(fault)
    this.#watch?.fault(fault)
  }

  encoded(
    documents: readonly LineDocument[],
    usage: Pick<EncodeResult, 'tokens' | 'truncated' | 'mostlyUnknown'>,
  ): void {
    const summary = this.#summary
    for (const [index, { line, id }] of documents.entries()) {
      summary.tokens += usage.tokens[index]!
      if (usage.truncated[index] === 1) {
        summary.truncatedTotal++
        if (summary.truncated.length < REPORT_ENTRIES_MAX) summary.truncated.push(id)
      }
      if (usage.mostlyUnknown[index] === 1) {
        summary.mostlyUnknownTotal++
        if (summary.mostlyUnknown.length < REPORT_ENTRIES_MAX) summary.mostlyUnknown.push({ line, id })
      }
    }
  }

  committed(documents: readonly IndexedDocument[], { created, updated }: UpsertResult): void {
    this.#summary.created += created
    this.#summary.updated += updated
    const room = REPORT_ENTRIES_MAX - this.#summary.ids.length
    for (const { document } of documents.slice(0, Math.max(0, room))) this.#summary.ids.push(document.id)
  }

  async reached(line: number): Promise<void> {
    this.#summary.lastLine = line
    const { lastLine, created, updated } = this.#summary
    await this.#watch?.reached({ lastLine, created, updated })
  }

  /** For the error of a stream that broke off: where to go on. */
  progress(): { committedLines: number; created: number; updated: number; failed: number } {
    const { lastLine, created, updated, failed } = this.#summary
    return { committedLines: lastLine, created, updated, failed }
  }

  summary(): IngestSummary {
    const { errors, mostlyUnknown, ...rest } = this.#summary
    const byLine = (a: { line: number }, b: { line: number }) => a.line - b.line
    return { ...rest, errors: errors.toSorted(byLine), mostlyUnknown: mostlyUnknown.toSorted(byLine) }
  }
}
