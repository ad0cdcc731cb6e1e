import { ServiceError } from '../errors.ts'
import type { Records } from '../index/records.ts'

const KIND = 'aliases'

export interface Alias {
  alias: string
  collection: string
}

/** Other names of collections, kept with the data. What is here is durable. */
export class Aliases {
  readonly #records: Records
  readonly #collections: Map<string, string>

  private constructor(records: Records, collections: Map<string, string>) {
    this.#records = records
    this.#collections = collections
  }

  /** Reads all; one that is damaged is left out. @param onFault is given its name, and what is wrong */
  static async read(
    records: Records,
    onFault: (alias: string, error: ServiceError) => void,
  ): Promise<Aliases> {
    const collections = new Map<string, string>()
    for (const alias of await records.names(KIND)) {
      try {
        const collection = await records.get(KIND, alias)
        if (typeof collection === 'string') collections.set(alias, collection)
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        onFault(alias, error)
      }
    }
    return new Aliases(records, collections)
  }

  get(alias: string): string | undefined {
    return this.#collections.get(alias)
  }

  /** In the order of their names. */
  list(): Alias[] {
    const all = [...this.#collections].map(([alias, collection]) => ({ alias, collection }))
    return all.sort((a, b) => (a.alias < b.alias ? -1 : 1))
  }

  /** Those that name a collection, in order. */
  of(collection: string): string[] {
    return this.list().flatMap((entry) => (entry.collection === collection ? [entry.alias] : []))
  }

  /** In one step: whoever asks gets the old collection or the new one. */
  async set(alias: string, collection: string): Promise<void> {
    await this.#records.put(KIND, alias, collection)
    this.#collections.set(alias, collection)
  }

  /** @throws ServiceError NOT_FOUND */
  async remove(alias: string): Promise<void> {
    if (!this.#collections.has(alias)) {
      throw new ServiceError('NOT_FOUND', `There is no alias ${alias}.`, { field: 'alias' })
    }
    await this.#records.remove(KIND, alias)
    this.#collections.delete(alias)
  }
}
