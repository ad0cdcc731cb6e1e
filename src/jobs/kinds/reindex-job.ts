import type { Collections } from '../../collections/collections.ts'
import { ServiceError } from '../../errors.ts'
import type { DocumentIndex } from '../../index/document-index.ts'
import type { Json } from '../../index/json.ts'
import { clientEncoder } from '../../retrieval/client-encoder.ts'
import type { IngestProgress, IngestWatch, LineFault } from '../../retrieval/ingest-report.ts'
import { type IngestLine, ingestStream } from '../../retrieval/ingest-stream.ts'
import type { Retrieval } from '../../retrieval/retrieval.ts'
import type { JobParameters, JobResult, JobRun, JobWork } from '../job.ts'
import { JOBS_CLIENT } from './jobs-client.ts'

const PAGE = 256

/** How far the documents of the source have been stored, in the order of their ids. */
interface Checkpoint {
  cursor: string
  documents: number
  failed: number
}

/** Fills a collection with the documents of another one, embedded anew. */
export class ReindexWork implements JobWork<'reindex'> {
  readonly #collections: Pick<Collections, 'resolve' | 'lease' | 'info'>

  constructor(collections: Pick<Collections, 'resolve' | 'lease' | 'info'>) {
    this.#collections = collections
  }

  async check(parameters: JobParameters['reindex']): Promise<JobParameters['reindex']> {
    const [from, to] = [parameters.from, parameters.to].map((name) => this.#collections.resolve(name))
    for (const name of [from!, to!]) (await this.#collections.lease(name)).release()
    const refuse = (message: string) => {
      throw new ServiceError('INVALID_INPUT', message, { field: 'to' })
    }
    if (from === to) refuse('from and to are the same collection.')
    const { vectors } = await this.#collections.info(to!)
    if (vectors !== 'model') refuse('to must be a collection of the model that runs; make a new one.')
    return { ...parameters, from: from!, to: to! }
  }

  async run(run: JobRun<'reindex'>): Promise<JobResult> {
    const { from, to } = run.parameters
    const source = await this.#collections.lease(from, run)
    try {
      const target = await this.#collections.lease(to, run)
      return await fill(run, source.retrieval.index, target.retrieval).finally(target.release)
    } finally {
      source.release()
    }
  }
}

async function fill(run: JobRun<'reindex'>, source: DocumentIndex, target: Retrieval): Promise<JobResult> {
  const { documents } = await source.stats()
  const progress = new ReindexProgress(run, source, documents)
  await ingestStream({ ...target, encoder: clientEncoder(target.encoder, JOBS_CLIENT) }, progress.lines(), {
    truncate: run.parameters.truncate,
    signal: run.signal,
    watch: progress,
  })
  return progress.result
}

/** The documents of the source as lines, numbered in the order of their ids, and how many have been stored. */
class ReindexProgress implements IngestWatch {
  readonly #run: JobRun<'reindex'>
  readonly #source: DocumentIndex
  readonly #total: number
  readonly #before: Checkpoint
  /** Ends of pages on their way: the number of the last document, and where the next page begins. */
  #pages: { line: number; cursor: string | null }[] = []
  /** Ids on their way, by number. */
  readonly #ids = new Map<number, string>()
  #faulty: number[] = []
  #now: { documents: number; failed: number }

  constructor(run: JobRun<'reindex'>, source: DocumentIndex, total: number) {
    this.#run = run
    this.#source = source
    this.#total = total
    this.#before = (run.checkpoint as unknown as Checkpoint | undefined) ?? {
      cursor: '',
      documents: 0,
      failed: 0,
    }
    this.#now = this.#before
  }

  get result(): JobResult {
    const { documents, failed } = this.#now
    return { documents, failed }
  }

  async *lines(): AsyncGenerator<IngestLine> {
    let line = this.#before.documents
    for (let cursor: string | null = this.#before.cursor; cursor !== null; ) {
      const { documents, nextCursor } = await this.#source.scan({
        limit: PAGE,
        signal: this.#run.signal,
        ...(cursor !== '' && { cursor }),
      })
      cursor = nextCursor
      this.#pages.push({ line: line + documents.length, cursor })
      for (const { id, text = '', title = null, metadata = {} } of documents) {
        this.#ids.set(++line, id)
        yield { line, document: { id, text, title, metadata }, bytes: Buffer.byteLength(text) }
      }
    }
  }

  fault({ line, code, detail }: LineFault): void {
    const id = this.#ids.get(line)
    this.#faulty.push(line)
    this.#run.fault({ line, ...(id !== undefined && { id }), code, detail })
  }

  /** Goes on at whole pages only: documents of a page that was half stored replace themselves. */
  async reached({ lastLine }: IngestProgress): Promise<void> {
    for (const line of this.#ids.keys()) if (line <= lastLine) this.#ids.delete(line)
    const page = this.#pages.findLast(({ line }) => line <= lastLine)
    if (!page) return
    this.#pages = this.#pages.filter(({ line }) => line > page.line)
    const items = page.line - this.#now.documents
    const faulty = this.#faulty.length
    this.#faulty = this.#faulty.filter((line) => line > page.line)
    this.#now = { documents: page.line, failed: this.#now.failed + faulty - this.#faulty.length }
    // After the last page there is nothing to go on with.
    if (page.cursor === null) return
    const checkpoint: Checkpoint = { ...this.#now, cursor: page.cursor }
    await this.#run.reached({
      checkpoint: checkpoint as unknown as Json,
      progress: { done: page.line, total: Math.max(this.#total, page.line), unit: 'documents' },
      result: this.result,
      items,
      lastLine: page.line,
    })
  }
}
