import type { Encoder } from '../encoder/encoder.ts'
import { ServiceError, toServiceError } from '../errors.ts'
import type { CollectionSettings, SettingsChange } from '../index/collection-settings.ts'
import type { CallOptions, DocumentIndex, IndexStats } from '../index/document-index.ts'
import { DEFAULT_COLLECTION, type IndexEngine } from '../index/index-engine.ts'
import type { Reranker } from '../reranker/reranker.ts'
import type { RetrievalLimits } from '../retrieval/limits.ts'
import type { Retrieval } from '../retrieval/retrieval.ts'
import { type Alias, Aliases } from './aliases.ts'
import { Catalog, noCollection } from './catalog.ts'
import { checkName } from './collection-name.ts'
import type { CollectionLimits } from './limits.ts'
import { OpenCollections } from './open-collections.ts'
import { encoderFor, type NewCollection, spaceOf, type VectorSpace, whatToCreate } from './vector-space.ts'

export interface CollectionsParts {
  engine: IndexEngine
  encoder: Encoder
  reranker: Reranker | undefined
  limits: RetrievalLimits & CollectionLimits
  /** Settings of a collection that does not say its own. */
  defaults: CollectionSettings
  /** The same index, measured under its collection's name. */
  measured(index: DocumentIndex, name: string): DocumentIndex
  /** Given what went wrong with a collection or an alias without a request to answer for it. */
  onFault(facts: { collection?: string; alias?: string }, error: ServiceError): void
}

/** A collection, open until `release`, which may be called twice. */
export interface Lease {
  /** The collection's own, never an alias. */
  name: string
  retrieval: Retrieval
  release(): void
}

export interface CollectionInfo {
  name: string
  aliases: string[]
  /** `unusable`: what it is cannot be read, or it cannot be opened. */
  vectors: VectorSpace | 'unusable'
  problem?: string
  dimensions?: number
  fingerprint?: string
  settings?: CollectionSettings
}

/**
 * The collections of the service, by name or alias. `default` is always open, the others are opened when they are asked
 * for. What is changed here is durable when it resolves.
 *
 * @throws ServiceError from every method: INVALID_INPUT (a name that cannot be one), NOT_FOUND, CONFLICT, STORE_UNUSABLE,
 *   ABORTED (the signal), UNAVAILABLE (closed)
 */
export class Collections {
  readonly #parts: CollectionsParts
  readonly #catalog: Catalog
  readonly #aliases: Aliases
  readonly #default: Retrieval
  readonly #open: OpenCollections
  /** Being dropped: nobody gets them any more. */
  readonly #dropping = new Set<string>()
  /** Changes of names, one after another. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(parts: CollectionsParts, catalog: Catalog, aliases: Aliases, first: DocumentIndex) {
    this.#parts = parts
    this.#catalog = catalog
    this.#aliases = aliases
    const { encoder, reranker, limits } = parts
    const index = parts.measured(first, DEFAULT_COLLECTION)
    this.#default = { encoder, reranker, index, limits }
    this.#open = new OpenCollections({
      limits,
      open: async (name) => {
        const { identity } = await catalog.describe(name)
        return parts.measured(await parts.engine.open(name, identity), name)
      },
      onFault: (collection, error) => parts.onFault({ collection }, toServiceError(error)),
    })
  }

  /** @param first the default collection, open */
  static async open(parts: CollectionsParts, first: DocumentIndex): Promise<Collections> {
    const { engine, limits } = parts
    const { collectionsMax } = limits
    const catalog = await Catalog.read({ engine, collectionsMax })
    const aliases = await Aliases.read(engine.records, (alias, error) => parts.onFault({ alias }, error))
    return new Collections(parts, catalog, aliases, first)
  }

  get default(): Retrieval {
    return this.#default
  }

  /** The collection that a name or an alias means; the name itself where it means none. */
  resolve(name: string): string {
    return this.#catalog.has(name) ? name : (this.#aliases.get(name) ?? name)
  }

  /** @param name the collection's own: resolve an alias first */
  async lease(name: string, { signal }: CallOptions = {}): Promise<Lease> {
    if (name === DEFAULT_COLLECTION) return { name, retrieval: this.#default, release() {} }
    if (!this.#catalog.has(name) || this.#dropping.has(name)) throw noCollection(name)
    const { index, release } = await this.#open.lease(name, signal)
    try {
      const { encoder, reranker, limits } = this.#parts
      const { identity } = await this.#catalog.describe(name)
      return {
        name,
        retrieval: { encoder: encoderFor(spaceOf(identity, encoder), encoder), reranker, index, limits },
        release,
      }
    } catch (error) {
      release()
      throw error
    }
  }

  /** In the order of their names; those that are being dropped are gone. */
  names(): string[] {
    return this.#catalog.names().filter((name) => !this.#dropping.has(name))
  }

  /** What a collection is, without opening it. */
  async info(name: string): Promise<CollectionInfo> {
    const aliases = this.#aliases.of(name)
    try {
      const { identity, settings } = await this.#catalog.describe(name)
      return { name, aliases, vectors: spaceOf(identity, this.#parts.encoder), ...identity, settings }
    } catch (thrown) {
      const { code, message } = toServiceError(thrown)
      if (code !== 'STORE_UNUSABLE') throw thrown
      return { name, aliases, vectors: 'unusable', problem: message }
    }
  }

  /** The same, and figures of what it holds, for which it is opened where that can be. */
  async figures(name: string, options: CallOptions): Promise<CollectionInfo & { stats?: IndexStats }> {
    const info = await this.info(name)
    if (info.vectors === 'unusable') return info
    try {
      const { retrieval, release } = await this.lease(name, options)
      const stats = await retrieval.index.stats().finally(release)
      return { ...info, stats }
    } catch (thrown) {
      const { code, message } = toServiceError(thrown)
      if (code !== 'STORE_UNUSABLE') throw thrown
      return { ...info, vectors: 'unusable', problem: message }
    }
  }

  create(name: string, wanted: NewCollection): Promise<void> {
    checkName(name, 'collection')
    const { encoder, defaults } = this.#parts
    const { identity, settings } = whatToCreate(wanted, encoder, defaults)
    return this.#change(async () => {
      if (this.#aliases.get(name) !== undefined) {
        throw new ServiceError('CONFLICT', `${name} is an alias; delete it first, or take another name.`, {
          field: 'collection',
        })
      }
      await this.#catalog.create(name, identity, settings)
    })
  }

  async configure(name: string, change: SettingsChange, options: CallOptions): Promise<void> {
    const { retrieval, release } = await this.lease(name, options)
    try {
      await retrieval.index.configure(change)
      this.#catalog.changed(name, retrieval.index.settings)
    } finally {
      release()
    }
  }

  /** Waits until those who have it have let it go; nobody gets it meanwhile. */
  async drop(name: string, { signal }: CallOptions): Promise<void> {
    this.#checkDroppable(name)
    this.#dropping.add(name)
    try {
      await this.#open.vacate(name, signal)
      await this.#change(async () => {
        // It may have got an alias before it was said to be going.
        this.#checkUnnamed(name)
        await this.#catalog.drop(name)
      })
    } finally {
      this.#dropping.delete(name)
    }
  }

  aliases(): Alias[] {
    return this.#aliases.list()
  }

  /** Makes an alias, or has it name another collection, in one step. */
  setAlias(alias: string, collection: string): Promise<void> {
    checkName(alias, 'alias')
    return this.#change(async () => {
      if (this.#catalog.has(alias)) {
        throw new ServiceError('CONFLICT', `${alias} is the name of a collection.`, { field: 'alias' })
      }
      if (!this.#catalog.has(collection) || this.#dropping.has(collection)) throw noCollection(collection)
      await this.#aliases.set(alias, collection)
    })
  }

  removeAlias(alias: string): Promise<void> {
    return this.#change(() => this.#aliases.remove(alias))
  }

  /** Closes all of them, `default` last. */
  async close(): Promise<void> {
    await this.#open.close()
    await this.#default.index.close()
  }

  #checkDroppable(name: string): void {
    if (name === DEFAULT_COLLECTION) {
      throw new ServiceError('CONFLICT', 'The collection default stays; delete its documents instead.', {
        field: 'collection',
      })
    }
    if (!this.#catalog.has(name) || this.#dropping.has(name)) throw noCollection(name)
    this.#checkUnnamed(name)
  }

  #checkUnnamed(name: string): void {
    const [alias] = this.#aliases.of(name)
    if (alias === undefined) return
    const message = `The alias ${alias} names ${name}; have it name another collection, or delete it first.`
    throw new ServiceError('CONFLICT', message, { field: 'collection', alias })
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const change = this.#last.then(work)
    this.#last = change.catch(() => {})
    return change
  }
}
