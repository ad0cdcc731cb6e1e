import { isDeepStrictEqual } from 'node:util'
import { ServiceError } from '../../src/errors.ts'
import {
  type CollectionSettings,
  FIRST_SETTINGS,
  otherChunking,
  type SettingsChange,
} from '../../src/index/collection-settings.ts'
import { cursorAfter, placeOfCursor } from '../../src/index/cursor.ts'
import type { DocumentPart, IndexedDocument, Passage, Span } from '../../src/index/document.ts'
import type {
  CallOptions,
  Capabilities,
  DocumentIndex,
  Excerpts,
  ExcerptWish,
  GetOptions,
  Hit,
  IndexStats,
  Probe,
  ScanOptions,
  ScanPage,
  SearchOptions,
  SearchResult,
  UpsertOptions,
  UpsertResult,
} from '../../src/index/document-index.ts'
import type { Filter } from '../../src/index/filter.ts'
import { DateFields } from '../../src/index/metadata/dates.ts'
import type { Facet, FacetOptions } from '../../src/index/metadata/facets.ts'
import { type MetadataPatch, type PatchResult, patched } from '../../src/index/metadata/merge-patch.ts'
import { comparePlaces } from '../../src/index/metadata/sort.ts'
import { compareHits } from '../../src/index/order.ts'
import { unitVector } from '../../src/index/unit-vector.ts'
import { facetOf } from './facets.ts'
import { bestPassage, excerptsOf, hitOf, partOf, type Stored } from './hits.ts'
import { matches } from './match-filter.ts'
import { placeOf } from './place.ts'
import { bestByWords, placesOfWords, wordScores } from './word-scores.ts'

/**
 * An index that keeps everything in memory, scores every passage, and counts the words of every text (analysis `plain`):
 * the plain implementation that judges the others.
 * Nothing survives `close`.
 */
export class ExactIndex implements DocumentIndex {
  readonly dimensions: number
  settings: CollectionSettings
  readonly capabilities: Capabilities = { vectors: true, lexical: true, approximate: false }
  readonly #stored = new Map<string, Stored>()
  readonly #dates: DateFields
  #closed = false

  constructor(dimensions: number, settings: Partial<CollectionSettings> = {}) {
    this.dimensions = dimensions
    this.settings = { ...FIRST_SETTINGS, ...settings }
    this.#dates = new DateFields(this.settings.dates)
  }

  /** After `close`, with what it had. */
  reopen(): void {
    this.#closed = false
  }

  async configure(change: SettingsChange): Promise<void> {
    this.settings = { ...this.settings, ...change }
  }

  async upsert(documents: readonly IndexedDocument[], options: UpsertOptions = {}): Promise<UpsertResult> {
    this.#check(options)
    if (options.chunking && !isDeepStrictEqual(options.chunking, this.settings.chunking))
      throw otherChunking()
    const copies = documents.map(({ document: { id, text, title, metadata }, passages }) => ({
      document: structuredClone({ id, text, title, metadata }),
      passages: passages.map(({ span: { start, end }, vector }) => {
        return { span: { start, end }, vector: unitVector(vector, this.dimensions).slice() }
      }),
    }))
    const last = new Map(copies.map((copy) => [copy.document.id, copy]))
    let updated = 0
    const changed: string[] = []
    for (const [id, copy] of last) {
      if (options.unlessChanged && !isDeepStrictEqual(this.#stored.get(id)?.document, copy.document)) {
        changed.push(id)
        continue
      }
      if (this.#stored.has(id)) updated++
      this.#stored.set(id, copy)
    }
    return {
      created: last.size - updated - changed.length,
      updated,
      ...(options.unlessChanged && { changed }),
    }
  }

  async get(
    ids: readonly string[],
    { fields, ...options }: GetOptions = {},
  ): Promise<(DocumentPart | undefined)[]> {
    this.#check(options)
    return ids.map((id) => {
      const found = this.#stored.get(id)
      return found && { id, ...partOf(found.document, fields) }
    })
  }

  async passages(ids: readonly string[], options: CallOptions = {}): Promise<(Passage[] | undefined)[]> {
    this.#check(options)
    return ids.map((id) => structuredClone(this.#stored.get(id)?.passages))
  }

  async excerpts(
    wishes: readonly ExcerptWish[],
    options: CallOptions = {},
  ): Promise<(Excerpts | undefined)[]> {
    this.#check(options)
    return wishes.map((wish) => excerptsOf(this.#stored.get(wish.id), wish))
  }

  async remove(
    target: { ids: readonly string[] } | { filter: Filter },
    options: CallOptions = {},
  ): Promise<{ removed: number }> {
    this.#check(options)
    const ids =
      'ids' in target ? target.ids : this.#matching(target.filter).map(({ document }) => document.id)
    let removed = 0
    for (const id of ids) if (this.#stored.delete(id)) removed++
    return { removed }
  }

  async patch(
    target: { ids: readonly string[] } | { filter: Filter },
    patch: MetadataPatch,
    options: CallOptions = {},
  ): Promise<PatchResult> {
    this.#check(options)
    const ids =
      'ids' in target
        ? [...new Set(target.ids)]
        : this.#matching(target.filter).map(({ document }) => document.id)
    const missing = ids.filter((id) => !this.#stored.has(id))
    if (missing.length > 0) {
      throw new ServiceError('NOT_FOUND', 'Some of the ids have no document.', { ids: missing.slice(0, 10) })
    }
    const results = ids.map((id) => patched(this.#stored.get(id)!.document.metadata, patch, id))
    for (const [i, id] of ids.entries())
      this.#stored.get(id)!.document.metadata = structuredClone(results[i]!)
    return {
      patched: ids.length,
      ...('ids' in target && ids.length === 1 && { metadata: structuredClone(results[0]!) }),
    }
  }

  async search(probes: readonly Probe[], k: number, options: SearchOptions = {}): Promise<SearchResult[]> {
    this.#check(options)
    return probes.map((probe) => {
      const hits =
        'vector' in probe ? this.#byVector(probe.vector, options) : this.#byWords(probe.terms, options)
      return { hits: hits.sort(compareHits).slice(0, k), path: 'exact' }
    })
  }

  async highlight(terms: string, texts: readonly string[], options: CallOptions = {}): Promise<Span[][]> {
    this.#check(options)
    return texts.map((text) => placesOfWords(terms, text))
  }

  async scan({ cursor, limit, filter, sort = [], fields, ...options }: ScanOptions): Promise<ScanPage> {
    this.#check(options)
    const after = cursor === undefined ? undefined : placeOfCursor(cursor, sort)
    const rest = this.#matching(filter)
      .map(({ document }) => ({ document, place: placeOf(document, sort, this.#dates) }))
      .filter(({ place }) => after === undefined || comparePlaces(sort, place, after) > 0)
      .sort((a, b) => comparePlaces(sort, a.place, b.place))
    const page = rest.slice(0, limit)
    const documents = page.map(({ document }) => ({ id: document.id, ...partOf(document, fields) }))
    const last = page.at(-1)
    const nextCursor = last && rest.length > page.length ? cursorAfter(last.place, sort) : null
    return { documents, nextCursor }
  }

  async count({ filter, ...options }: CallOptions & { filter?: Filter } = {}): Promise<number> {
    this.#check(options)
    return this.#matching(filter).length
  }

  async facets(
    paths: readonly string[][],
    { filter, limit, ...options }: CallOptions & FacetOptions,
  ): Promise<Facet[]> {
    this.#check(options)
    const documents = this.#matching(filter).map(({ document }) => document.metadata)
    return paths.map((path) => facetOf(path, limit, documents, this.#dates))
  }

  async stats(): Promise<IndexStats> {
    this.#check({})
    const passages = [...this.#stored.values()].reduce((sum, stored) => sum + stored.passages.length, 0)
    return { engine: 'exact', documents: this.#stored.size, passages, waiting: 0, own: {} }
  }

  /** It lives as long as its process. */
  onDeath(): void {}

  async close(): Promise<void> {
    this.#closed = true
    this.#stored.clear()
  }

  #byVector(vector: Float32Array, { filter, floor = -1, fields }: SearchOptions): Hit[] {
    const unit = unitVector(vector, this.dimensions)
    const hits = this.#matching(filter).map((stored) => bestPassage(unit, stored, fields))
    return hits.filter(({ score }) => score >= floor)
  }

  #byWords(query: string, { filter, floor = 0, fields }: SearchOptions): Hit[] {
    const all = [...this.#stored.values()].map(({ document }) => document)
    const scores = new Map(wordScores(query, all).map((score, i) => [all[i]!.id, score]))
    return this.#matching(filter).flatMap((stored) => {
      const score = scores.get(stored.document.id)!
      if (score === 0 || score < floor) return []
      const spans = stored.passages.map(({ span }) => span)
      return [hitOf(stored, score, 'bm25', bestByWords(query, stored.document.text, spans, all), fields)]
    })
  }

  #matching(filter: Filter | undefined): Stored[] {
    const all = [...this.#stored.values()]
    return filter ? all.filter(({ document }) => matches(filter, document.metadata, this.#dates)) : all
  }

  #check({ signal }: CallOptions): void {
    if (this.#closed) throw new ServiceError('UNAVAILABLE', 'The index is closed.')
    if (signal?.aborted) throw new ServiceError('ABORTED', 'The request was abandoned.')
  }
}
