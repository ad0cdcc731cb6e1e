import type { ServiceError } from '../errors.ts'
import type { UpsertResult } from '../index/document-index.ts'
import type { EmbeddedDocument } from './passages/embed-planned.ts'

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
  /** What the stored documents are found by. */
  passages: number
  tokens: number
  /** The first ids, in order. */
  ids: string[]
  /** The first ids of documents of which something was cut. */
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
    passages: 0,
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

  encoded(lines: readonly number[], documents: readonly EmbeddedDocument[]): void {
    const summary = this.#summary
    for (const [index, { indexed, tokens, truncated, mostlyUnknown }] of documents.entries()) {
      const { id } = indexed.document
      summary.tokens += tokens
      if (truncated) {
        summary.truncatedTotal++
        if (summary.truncated.length < REPORT_ENTRIES_MAX) summary.truncated.push(id)
      }
      if (mostlyUnknown) {
        summary.mostlyUnknownTotal++
        const line = lines[index]!
        if (summary.mostlyUnknown.length < REPORT_ENTRIES_MAX) summary.mostlyUnknown.push({ line, id })
      }
    }
  }

  committed(documents: readonly EmbeddedDocument[], { created, updated }: UpsertResult): void {
    const summary = this.#summary
    summary.created += created
    summary.updated += updated
    for (const { indexed } of documents) {
      summary.passages += indexed.passages.length
      if (summary.ids.length < REPORT_ENTRIES_MAX) summary.ids.push(indexed.document.id)
    }
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
