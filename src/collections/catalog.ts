import { ServiceError } from '../errors.ts'
import type { CollectionSettings } from '../index/collection-settings.ts'
import type { CollectionIdentity, IndexEngine, StoredCollection } from '../index/index-engine.ts'

export interface CatalogParts {
  engine: IndexEngine
  collectionsMax: number
}

/** Which collections there are, and what each is. What they are is read when it is first asked for, and kept. */
export class Catalog {
  readonly #parts: CatalogParts
  readonly #names: Set<string>
  readonly #known = new Map<string, StoredCollection>()

  private constructor(parts: CatalogParts, names: readonly string[]) {
    this.#parts = parts
    this.#names = new Set(names)
  }

  static async read(parts: CatalogParts): Promise<Catalog> {
    return new Catalog(parts, await parts.engine.list())
  }

  /** In order, the default one among them. */
  names(): string[] {
    return [...this.#names].sort()
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** @throws ServiceError NOT_FOUND, STORE_UNUSABLE */
  async describe(name: string): Promise<StoredCollection> {
    const known = this.#known.get(name)
    if (known) return known
    const found = this.has(name) ? await this.#parts.engine.describe(name) : undefined
    if (!found) throw noCollection(name)
    this.#known.set(name, found)
    return found
  }

  /** What was changed of a collection's settings. */
  changed(name: string, settings: CollectionSettings): void {
    const known = this.#known.get(name)
    if (known) this.#known.set(name, { ...known, settings })
  }

  /** One at a time. @throws ServiceError CONFLICT, TOO_LARGE (`collectionsMax`), STORE_UNUSABLE */
  async create(name: string, identity: CollectionIdentity, settings: CollectionSettings): Promise<void> {
    const { engine, collectionsMax } = this.#parts
    if (this.has(name)) {
      throw new ServiceError('CONFLICT', `There is a collection ${name} already.`, { field: 'collection' })
    }
    if (this.#names.size >= collectionsMax) {
      const message = `There are ${collectionsMax} collections already (COLLECTIONS_MAX); drop one first.`
      throw new ServiceError('TOO_LARGE', message, { limit: collectionsMax })
    }
    await engine.create(name, identity, settings)
    this.#names.add(name)
    this.#known.set(name, { identity, settings })
  }

  /** Nobody has it open. @throws ServiceError NOT_FOUND, STORE_UNUSABLE */
  async drop(name: string): Promise<void> {
    if (!(await this.#parts.engine.drop(name))) throw noCollection(name)
    this.#names.delete(name)
    this.#known.delete(name)
  }
}

export function noCollection(name: string): ServiceError {
  return new ServiceError('NOT_FOUND', `There is no collection ${name}.`, { field: 'collection' })
}
