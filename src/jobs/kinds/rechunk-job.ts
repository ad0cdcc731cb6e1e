import { isDeepStrictEqual } from 'node:util'
import type { Collections } from '../../collections/collections.ts'
import { ServiceError } from '../../errors.ts'
import { type Chunking, otherChunking } from '../../index/collection-settings.ts'
import type { Json } from '../../index/json.ts'
import { checkChunking } from '../../retrieval/checks/check-chunking.ts'
import { clientEncoder } from '../../retrieval/client-encoder.ts'
import { rechunk } from '../../retrieval/passages/rechunk.ts'
import type { JobParameters, JobResult, JobRun, JobWork } from '../job.ts'
import { JOBS_CLIENT } from './jobs-client.ts'

type UsedCollections = Pick<Collections, 'resolve' | 'lease' | 'info' | 'configure'>

/** How far documents have been cut anew, in the order of their ids. */
interface Checkpoint {
  cursor: string
  documents: number
  failed: number
}

/** Cuts the documents of a collection in another way, where they are. */
export class RechunkWork implements JobWork<'rechunk'> {
  readonly #collections: UsedCollections

  constructor(collections: UsedCollections) {
    this.#collections = collections
  }

  async check({ collection, chunking }: JobParameters['rechunk']): Promise<JobParameters['rechunk']> {
    const name = this.#collections.resolve(collection)
    const { retrieval, release } = await this.#collections.lease(name)
    release()
    const { vectors } = await this.#collections.info(name)
    if (vectors !== 'model') {
      const message = 'Documents can only be embedded again in a collection of the model that runs.'
      throw new ServiceError('INVALID_INPUT', message, { field: 'collection' })
    }
    return { collection: name, chunking: checkChunking(chunking, retrieval.encoder.card.bodyTokens.ebae) }
  }

  async run(run: JobRun<'rechunk'>): Promise<JobResult> {
    const { collection } = run.parameters
    const chunking = run.parameters.chunking as Chunking
    const { retrieval, release } = await this.#collections.lease(collection, run)
    const { index, encoder } = retrieval
    const done = (run.checkpoint as unknown as Checkpoint | undefined) ?? { documents: 0, failed: 0 }
    const configure = (change: Parameters<UsedCollections['configure']>[1]) =>
      this.#collections.configure(collection, change, run)
    try {
      const { chunking: before, earlierChunking } = index.settings
      const same = isDeepStrictEqual(before, chunking)
      // Another job has begun since this one was where it goes on.
      if (run.checkpoint !== undefined && !same) throw otherChunking()
      if (!same) await configure({ chunking, earlierChunking: earlierChunking ?? before })
      const { documents: total } = await index.stats()
      let { documents, failed } = done
      await rechunk(
        { ...retrieval, encoder: clientEncoder(encoder, JOBS_CLIENT) },
        {
          signal: run.signal,
          ...('cursor' in done && { cursor: done.cursor }),
          onFault: (id, { code, message: detail }) => run.fault({ id, code, detail }),
          async onPage(page) {
            documents += page.documents
            failed += page.failed
            const { cursor } = page
            // After the last page there is nothing to go on with.
            if (cursor === null) return
            const checkpoint: Checkpoint = { cursor, documents, failed }
            await run.reached({
              checkpoint: checkpoint as unknown as Json,
              progress: { done: documents, total: Math.max(total, documents), unit: 'documents' },
              result: { documents, failed },
              items: page.documents,
            })
          },
        },
      )
      // Those that failed are found as they were cut before.
      if (failed === 0) await configure({ earlierChunking: undefined })
      return { documents, failed }
    } finally {
      release()
    }
  }
}
