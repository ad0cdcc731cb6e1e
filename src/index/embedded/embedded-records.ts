import type { WorkerClient } from '../../worker/client.ts'
import type { Json } from '../json.ts'
import type { Records } from '../records.ts'
import type { IndexWorker } from './worker.ts'

/** Records of the embedded engine. Its thread writes them, because that holds the folder. */
export class EmbeddedRecords implements Records {
  readonly #client: WorkerClient<IndexWorker>

  constructor(client: WorkerClient<IndexWorker>) {
    this.#client = client
  }

  names(kind: string): Promise<string[]> {
    return this.#client.call('recordNames', { kind })
  }

  get(kind: string, name: string): Promise<Json | undefined> {
    return this.#client.call('record', { kind, name })
  }

  async all(kind: string): Promise<Map<string, Json>> {
    const names = await this.names(kind)
    const records = new Map<string, Json>()
    for (const name of names) {
      const value = await this.get(kind, name)
      // One removed meanwhile is left out.
      if (value !== undefined) records.set(name, value)
    }
    return records
  }

  put(kind: string, name: string, value: Json): Promise<void> {
    return this.#client.call('putRecord', { kind, name, value })
  }

  remove(kind: string, name: string): Promise<void> {
    return this.#client.call('removeRecord', { kind, name })
  }
}
