import { ServiceError } from '../../src/errors.ts'
import { cursorAfter, idOfCursor } from '../../src/index/cursor.ts'
import type {
  Document,
  Hit,
  ScanPage,
  SearchOptions,
  SearchResult,
  StoreStats,
  UpsertResult,
  VectorDocument,
  VectorStore,
} from '../../src/index/document-index.ts'
import type { Filter } from '../../src/index/filter.ts'
import { checkCount, checkDocument, checkSearch, STORE_LIMITS, unitVector } from '../../src/index/input.ts'
import { metadataValues } from '../../src/index/metadata-values.ts'
import { compareCodePoints, compareHits } from '../../src/index/order.ts'
import { similarity } from '../../src/index/similarity.ts'
import { matches } from './match-filter.ts'

/**
 * A store that keeps everything in memory and scores every document: the plain implementation that judges the others.
 * Nothing survives `close`.
 */
export function openExactStore(options: { dimensions: number }): VectorStore {
  return new ExactStore(options.dimensions)
}

class ExactStore implements VectorStore {
  readonly dimensions: number
  readonly #documents = new Map<string, VectorDocument>()
  #closed = false

  constructor(dimensions: number) {
    this.dimensions = dimensions
  }

  async upsert(documents: readonly VectorDocument[]): Promise<UpsertResult> {
    this.#checkOpen()
    const checked = documents.map((document, i) => {
      const copy = checkDocument(document, i, this.dimensions)
      metadataValues(copy.metadata)
      return { ...copy, vector: copy.vector.slice() }
    })
    const last = new Map(checked.map((document) => [document.id, document]))
    let updated = 0
    for (const [id, document] of last) {
      if (this.#documents.has(id)) updated++
      this.#documents.set(id, document)
    }
    return { created: last.size - updated, updated }
  }

  async get(ids: readonly string[]): Promise<(Document | undefined)[]> {
    this.#checkOpen()
    return ids.map((id) => {
      const document = this.#documents.get(id)
      return document && withoutVector(document)
    })
  }

  async vectors(ids: readonly string[]): Promise<(Float32Array | undefined)[]> {
    this.#checkOpen()
    return ids.map((id) => this.#documents.get(id)?.vector.slice())
  }

  async remove(target: { ids: readonly string[] } | { filter: Filter }): Promise<{ removed: number }> {
    this.#checkOpen()
    const ids = 'ids' in target ? target.ids : this.#matching(target.filter).map((document) => document.id)
    let removed = 0
    for (const id of ids) if (this.#documents.delete(id)) removed++
    return { removed }
  }

  async search(
    vectors: readonly Float32Array[],
    k: number,
    options: SearchOptions = {},
  ): Promise<SearchResult[]> {
    this.#checkOpen()
    checkSearch(k, options)
    const queries = vectors.map((vector) => unitVector(vector, this.dimensions))
    const documents = this.#matching(options.filter)
    return queries.map((query) => {
      const hits = documents
        .map((document) => ({ id: document.id, score: similarity(query, document.vector), document }))
        .filter((hit) => hit.score >= (options.minScore ?? -1))
        .sort(compareHits)
        .slice(0, k)
        .map(({ id, score, document }): Hit => {
          return options.documents === false
            ? { id, score }
            : { id, score, document: withoutVector(document) }
        })
      return { hits, path: 'exact' }
    })
  }

  async scan(options: { cursor?: string; limit: number; filter?: Filter }): Promise<ScanPage> {
    this.#checkOpen()
    checkCount(options.limit, 'limit', STORE_LIMITS.pageMax)
    const after = options.cursor === undefined ? undefined : idOfCursor(options.cursor)
    const rest = this.#matching(options.filter)
      .filter(({ id }) => after === undefined || compareCodePoints(id, after) > 0)
      .sort((a, b) => compareCodePoints(a.id, b.id))
    const documents = rest.slice(0, options.limit).map(withoutVector)
    const last = documents.at(-1)
    return { documents, nextCursor: last && rest.length > documents.length ? cursorAfter(last.id) : null }
  }

  async count(filter?: Filter): Promise<number> {
    this.#checkOpen()
    return this.#matching(filter).length
  }

  stats(): StoreStats {
    return { engine: 'exact', documents: this.#documents.size, tombstones: 0, waiting: 0 }
  }

  async snapshot(): Promise<void> {
    this.#checkOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#documents.clear()
  }

  #matching(filter: Filter | undefined): VectorDocument[] {
    const all = [...this.#documents.values()]
    return filter ? all.filter((document) => matches(filter, document.metadata)) : all
  }

  #checkOpen(): void {
    if (this.#closed) throw new ServiceError('UNAVAILABLE', 'The vector store is closed.')
  }
}

function withoutVector({ id, text, title, metadata }: VectorDocument): Document {
  return { id, text, title, metadata: structuredClone(metadata) }
}
