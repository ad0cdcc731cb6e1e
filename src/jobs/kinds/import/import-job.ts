import type { Collections } from '../../../collections/collections.ts'
import { ServiceError } from '../../../errors.ts'
import { clientEncoder } from '../../../retrieval/client-encoder.ts'
import { ingestStream } from '../../../retrieval/ingest-stream.ts'
import type { Retrieval } from '../../../retrieval/retrieval.ts'
import type { JobParameters, JobResult, JobRun, JobWork } from '../../job.ts'
import { JOBS_CLIENT } from '../jobs-client.ts'
import { FileBytes } from './file-bytes.ts'
import { checkUnchanged, type ImportFile, openImport } from './import-file.ts'
import { checkpointOf, ImportProgress, type LinePlace, type PlacedLine } from './import-progress.ts'

export interface ImportParts {
  /** The setting IMPORT_DIR; empty where nothing can be imported. */
  importDir: string
  collections: Pick<Collections, 'resolve' | 'lease'>
  /** Reads NDJSON from some line on. */
  documentLines(source: AsyncIterable<Uint8Array>, from: LinePlace): AsyncIterable<PlacedLine>
}

/** Documents of a file in the import folder, line by line, as a stream of NDJSON is stored. */
export class ImportWork implements JobWork<'import'> {
  readonly #parts: ImportParts

  constructor(parts: ImportParts) {
    this.#parts = parts
  }

  async check(parameters: JobParameters['import']): Promise<JobParameters['import']> {
    const { importDir, collections } = this.#parts
    const { handle } = await openImport(importDir, parameters.file)
    await handle.close()
    const collection = collections.resolve(parameters.collection)
    const { release } = await collections.lease(collection)
    release()
    return { ...parameters, collection }
  }

  async run(run: JobRun<'import'>): Promise<JobResult> {
    const { importDir, collections } = this.#parts
    const file = await openImport(importDir, run.parameters.file)
    try {
      const { retrieval, release } = await collections.lease(run.parameters.collection, run)
      return await this.#read(run, file, retrieval).finally(release)
    } finally {
      await file.handle.close()
    }
  }

  async #read(
    run: JobRun<'import'>,
    { handle, version, gzip }: ImportFile,
    retrieval: Retrieval,
  ): Promise<JobResult> {
    const before = checkpointOf(run)
    if (before) await checkUnchanged(handle, before.file)
    const { line, offset }: LinePlace = before ?? { line: 1, offset: 0 }
    const bytes = new FileBytes({ handle, version, gzip }, offset)
    const progress = new ImportProgress(run, version, (read) => (gzip ? bytes.fileBytes : read))
    try {
      await ingestStream(
        { ...retrieval, encoder: clientEncoder(retrieval.encoder, JOBS_CLIENT) },
        progress.follow(this.#parts.documentLines(bytes.read(), { line, offset })),
        { truncate: run.parameters.truncate, signal: run.signal, watch: progress },
      )
    } finally {
      bytes.close()
    }
    await checkUnchanged(handle, version)
    const { result } = progress
    if (result.created + result.updated === 0) {
      const message =
        'The file has no document that could be stored; the errors of the job say what is wrong with each line.'
      throw new ServiceError('INVALID_INPUT', message, { field: 'file' })
    }
    run.report({ done: version.bytes, total: version.bytes, unit: 'bytes' })
    return result
  }
}
