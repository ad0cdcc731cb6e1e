import { compareCodePoints } from '../../../index/order.ts'
import { similarity } from '../../../index/similarity.ts'
import type { ScoredDocument } from './retrieval-metrics.ts'

/**
 * The k best documents of each query vector, every document scored, in memory that does not grow with the documents.
 * Scores and ties are those of the stores and of trec_eval.
 */
export class ExactRanker {
  readonly #queries: readonly Float32Array[]
  readonly #k: number
  readonly #leftOut: readonly string[]
  readonly #best: ScoredDocument[][]

  /**
   * @param queries unit-length vectors
   * @param leftOut of each query, the id of a document that is no result of it; none where empty
   */
  constructor(queries: readonly Float32Array[], k: number, leftOut: readonly string[] = []) {
    this.#queries = queries
    this.#k = k
    this.#leftOut = leftOut
    this.#best = queries.map(() => [])
  }

  /** @param vectors unit length, row i of document `ids[i]` */
  add(ids: readonly string[], vectors: readonly Float32Array[]): void {
    for (const [row, query] of this.#queries.entries()) {
      const best = this.#best[row]!
      for (const [index, vector] of vectors.entries()) {
        if (ids[index] === this.#leftOut[row]) continue
        const score = similarity(query, vector)
        if (best.length === this.#k && score < best[this.#k - 1]!.score) continue
        insert(best, { id: ids[index]!, score })
        if (best.length > this.#k) best.pop()
      }
    }
  }

  /** Best first, one list a query. */
  rankings(): string[][] {
    return this.#best.map((best) => best.map(({ id }) => id))
  }
}

/** Into its place: score descending, equal scores by id descending. */
function insert(best: ScoredDocument[], scored: ScoredDocument): void {
  let place = best.length
  while (place > 0 && after(best[place - 1]!, scored)) place--
  best.splice(place, 0, scored)
}

function after(a: ScoredDocument, b: ScoredDocument): boolean {
  return a.score < b.score || (a.score === b.score && compareCodePoints(a.id, b.id) < 0)
}
