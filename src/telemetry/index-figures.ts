import type { DocumentIndex, IndexStats } from '../index/document-index.ts'

/** Collections with a label of their own; those that come later are one. No collection's name begins so. */
const COLLECTIONS_MAX = 50
const OTHERS = '_others'

/** A gauge by collection. */
export interface CollectionGauge {
  reset(): void
  inc(labels: { collection: string }, value: number): void
}

/** Figures of open collections, read from their indexes whenever metrics are asked for. */
export class IndexFigures {
  readonly #gauges: { gauge: CollectionGauge; figure: (stats: IndexStats) => number | undefined }[]
  /** Collections that have a label of their own, for as long as the service runs. */
  readonly #labelled = new Set<string>()
  /** Open collections by name. */
  readonly #open = new Map<string, DocumentIndex>()

  /** @param gauge makes one */
  constructor(gauge: (name: string, help: string) => CollectionGauge) {
    this.#gauges = FIGURES.map(({ name, help, figure }) => ({ gauge: gauge(name, help), figure }))
  }

  labelOf(collection: string): string {
    if (this.#labelled.size < COLLECTIONS_MAX) this.#labelled.add(collection)
    return this.#labelled.has(collection) ? collection : OTHERS
  }

  watch(collection: string, index: DocumentIndex): () => void {
    this.#open.set(collection, index)
    return () => {
      if (this.#open.get(collection) === index) this.#open.delete(collection)
    }
  }

  /** Asks every index once, for all of its gauges. */
  async read(): Promise<void> {
    const read: { collection: string; stats: IndexStats }[] = []
    for (const [name, index] of this.#open) {
      // An index that has just closed or died has no figures.
      const stats = await index.stats().catch(() => undefined)
      if (stats) read.push({ collection: this.labelOf(name), stats })
    }
    for (const { gauge, figure } of this.#gauges) {
      gauge.reset()
      for (const { collection, stats } of read) {
        const value = figure(stats)
        if (value !== undefined) gauge.inc({ collection }, value)
      }
    }
  }
}

interface Figure {
  name: string
  help: string
  figure: (stats: IndexStats) => number | undefined
}

const FIGURES: readonly Figure[] = [
  { name: 'llara_store_documents', help: 'Documents stored.', figure: ({ documents }) => documents },
  { name: 'llara_store_passages', help: 'Passages stored.', figure: ({ passages }) => passages },
  { name: 'llara_store_waiting', help: 'Index calls waiting.', figure: ({ waiting }) => waiting },
  {
    name: 'llara_store_tombstones',
    help: 'Deleted or replaced vectors still in the HNSW graph.',
    figure: ({ own }) => own['tombstones'],
  },
  {
    name: 'llara_index_damaged_documents',
    help: 'Documents that are damaged on the disk and left out of answers.',
    figure: ({ own }) => own['damagedDocuments'],
  },
  {
    name: 'llara_index_file_damaged',
    help: '1 while pages or indexes of the database are damaged.',
    figure: ({ own }) => own['fileDamaged'],
  },
  {
    name: 'llara_index_missing_commits',
    help: 'Acknowledged writes that the database has lost with its log.',
    figure: ({ own }) => own['missingCommits'],
  },
]
