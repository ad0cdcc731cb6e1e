import { WorkerClient } from '../worker/client.ts'
import { spawnWorker } from '../worker/spawn.ts'
import { type CardFiles, damagedModel, largeFiles } from './check-files.ts'
import type { HashEngine } from './hash-worker.ts'

/** Large files being read through in a thread of their own, while the model is loaded or used. */
export class FileCheck {
  /** @throws ServiceError MODEL_UNUSABLE naming what is not as the card says */
  readonly done: Promise<void>
  readonly #client: WorkerClient<HashEngine> | undefined
  #stopped = false

  /** @param files of the card; those that were hashed when it was read are not read again */
  constructor(folder: string, files: CardFiles) {
    const large = largeFiles(files)
    if (Object.keys(large).length > 0) {
      const worker = spawnWorker(new URL('./hash-worker.ts', import.meta.url), undefined, import.meta.url)
      this.#client = new WorkerClient<HashEngine>(worker, "The check of the model's files")
    }
    this.done = this.#run(folder, large)
    this.done.catch(() => {})
  }

  /** Ends the reading, wherever it is; `done` then never fails. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#client?.close()
  }

  async #run(folder: string, files: CardFiles): Promise<void> {
    if (!this.#client) return
    try {
      const faults = await this.#client.call('check', { folder, files })
      if (faults.length > 0) throw damagedModel(faults.join('; '))
    } catch (error) {
      if (!this.#stopped) throw error
    } finally {
      await this.#client.close()
    }
  }
}
