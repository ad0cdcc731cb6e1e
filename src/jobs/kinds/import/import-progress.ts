import type { Json } from '../../../index/json.ts'
import type { IngestProgress, IngestWatch, LineFault } from '../../../retrieval/ingest-report.ts'
import type { IngestLine } from '../../../retrieval/ingest-stream.ts'
import type { JobRun } from '../../job.ts'
import type { FileVersion } from './import-file.ts'

/** Where a line begins. */
export interface LinePlace {
  line: number
  offset: number
}

/** A line, and where the next one begins. */
export type PlacedLine = IngestLine & { end: number }

/** What has been stored, and where in which file the import goes on. */
export interface ImportCheckpoint extends LinePlace {
  file: FileVersion
  created: number
  updated: number
  failed: number
}

const START = { line: 1, offset: 0, created: 0, updated: 0, failed: 0 }

/** What an import has come to, with what it had come to before it was interrupted. */
export class ImportProgress implements IngestWatch {
  readonly #run: JobRun<'import'>
  readonly #file: FileVersion
  readonly #fileBytes: (offset: number) => number
  readonly #before: Omit<ImportCheckpoint, 'file'>
  #now: Omit<ImportCheckpoint, 'file'>
  /** Lines on their way, in order: where the next one begins. */
  #passed: LinePlace[] = []
  /** Faulty ones among them. */
  #faulty: number[] = []

  /** @param fileBytes how much of the file has been read when the content has been up to an offset */
  constructor(run: JobRun<'import'>, file: FileVersion, fileBytes: (offset: number) => number) {
    this.#run = run
    this.#file = file
    this.#fileBytes = fileBytes
    this.#before = checkpointOf(run) ?? START
    this.#now = this.#before
  }

  get result() {
    const { line, created, updated, failed } = this.#now
    return { lines: line - 1, created, updated, failed }
  }

  /** The same lines. Documents without ids get one that is the same whenever this job reads the line again. */
  async *follow(lines: AsyncIterable<PlacedLine>): AsyncGenerator<IngestLine> {
    for await (const line of lines) {
      this.#passed.push({ line: line.line, offset: line.end })
      if ('document' in line) line.document.id ??= `${this.#run.id}-${line.line}`
      yield line
    }
  }

  fault(fault: LineFault): void {
    this.#faulty.push(fault.line)
    this.#run.fault({ ...fault })
  }

  async reached({ lastLine, created, updated }: IngestProgress): Promise<void> {
    const { offset } = this.#passed.findLast(({ line }) => line <= lastLine)!
    this.#passed = this.#passed.filter(({ line }) => line > lastLine)
    const items = lastLine + 1 - this.#now.line
    const faulty = this.#faulty.length
    this.#faulty = this.#faulty.filter((line) => line > lastLine)
    this.#now = {
      line: lastLine + 1,
      offset,
      created: this.#before.created + created,
      updated: this.#before.updated + updated,
      failed: this.#now.failed + faulty - this.#faulty.length,
    }
    const checkpoint: ImportCheckpoint = { ...this.#now, file: this.#file }
    await this.#run.reached({
      checkpoint: checkpoint as unknown as Json,
      progress: { done: this.#fileBytes(offset), total: this.#file.bytes, unit: 'bytes' },
      result: this.result,
      items,
      lastLine,
    })
  }
}

/** Where a job goes on; undefined where it begins. */
export function checkpointOf({ checkpoint }: JobRun<'import'>): ImportCheckpoint | undefined {
  return checkpoint as unknown as ImportCheckpoint | undefined
}
