import { type CollectionSettings, FIRST_SETTINGS } from '../../../src/index/collection-settings.ts'
import type { IndexedDocument } from '../../../src/index/document.ts'
import type { DocumentIndex, SearchOptions, SearchResult } from '../../../src/index/document-index.ts'
import type { Metadata } from '../../../src/index/json.ts'
import { named } from '../../index/documents.ts'

/** In four dimensions, vectors can be thought up by hand. */
export const CONTRACT_DIMENSIONS = 4
/** Two fields of dates, which only the tests of dates use. */
export const CONTRACT_SETTINGS: CollectionSettings = {
  ...FIRST_SETTINGS,
  analysis: 'plain',
  dates: ['published', 'events.at'],
}

/** A vector of unit length in the direction of the numbers. */
export const v = (...numbers: number[]) => {
  const norm = Math.hypot(...numbers)
  return Float32Array.from(numbers, (value) => value / norm)
}

export const X = v(1, 0, 0, 0)

export function doc(id: string, vector: Float32Array = X, metadata: Metadata = {}): IndexedDocument {
  return named(id, vector, metadata)
}

/** Runs a test of the contract, unless the engine declares that it deviates there. */
export type ContractTest = (title: string, test: (bench: Bench) => Promise<void>) => void

/** The index under test, emptied before each test, and short ways to ask it. */
export class Bench {
  readonly index: DocumentIndex

  constructor(index: DocumentIndex) {
    this.index = index
  }

  search(vectors: readonly Float32Array[], k: number, options: SearchOptions = {}): Promise<SearchResult[]> {
    return this.index.search(
      vectors.map((vector) => ({ vector })),
      k,
      options,
    )
  }

  /** Ids of the hits for one vector, best first. */
  async ids(vector: Float32Array, k: number, options: SearchOptions = {}): Promise<string[]> {
    const [result] = await this.search([vector], k, options)
    return result!.hits.map(({ id }) => id)
  }

  /** Documents in the index. */
  async count(): Promise<number> {
    return (await this.index.stats()).documents
  }
}
