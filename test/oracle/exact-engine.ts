import { ServiceError } from '../../src/errors.ts'
import type { CollectionSettings } from '../../src/index/collection-settings.ts'
import type { CollectionIdentity, IndexEngine, StoredCollection } from '../../src/index/index-engine.ts'
import type { Json } from '../../src/index/json.ts'
import type { Records } from '../../src/index/records.ts'
import { ExactIndex } from './exact-index.ts'

/** Exact indexes by name. Nothing survives `close`; a collection that is closed alone is kept until then. */
export class ExactEngine implements IndexEngine {
  readonly records: Records = new MemoryRecords()
  readonly #stored = new Map<string, StoredCollection & { index: ExactIndex }>()

  async open(collection: string, identity: CollectionIdentity, settings?: CollectionSettings) {
    if (!this.#stored.has(collection)) this.#make(collection, identity, settings)
    const { index } = this.#stored.get(collection)!
    index.reopen()
    return index
  }

  async list() {
    return [...this.#stored.keys()]
  }

  async describe(collection: string) {
    const found = this.#stored.get(collection)
    return found && { identity: found.identity, settings: found.index.settings }
  }

  async create(collection: string, identity: CollectionIdentity, settings: CollectionSettings) {
    if (this.#stored.has(collection)) throw new ServiceError('CONFLICT', `There is a ${collection} already.`)
    this.#make(collection, identity, settings)
  }

  async drop(collection: string) {
    return this.#stored.delete(collection)
  }

  onDeath(): void {}

  onTrouble(): void {}

  async close() {
    for (const { index } of this.#stored.values()) await index.close()
  }

  #make(collection: string, identity: CollectionIdentity, settings?: CollectionSettings) {
    const index = new ExactIndex(identity.dimensions)
    if (settings) index.settings = settings
    this.#stored.set(collection, { identity, settings: index.settings, index })
  }
}

class MemoryRecords implements Records {
  readonly #all = new Map<string, Map<string, Json>>()

  async names(kind: string) {
    return [...(await this.all(kind)).keys()].sort()
  }

  async get(kind: string, name: string) {
    return this.#all.get(kind)?.get(name)
  }

  async all(kind: string) {
    return new Map(this.#all.get(kind))
  }

  async put(kind: string, name: string, value: Json) {
    this.#all.set(kind, new Map([...(this.#all.get(kind) ?? []), [name, value]]))
  }

  async remove(kind: string, name: string) {
    this.#all.get(kind)?.delete(name)
  }
}
