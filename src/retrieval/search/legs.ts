import type { SearchMode } from '../../index/collection-settings.ts'
import type { DocumentIndex, Probe, SearchOptions, SearchResult } from '../../index/document-index.ts'
import type { Encoded, Questions } from './target.ts'

/** One way to candidates: by vectors, or by words. */
export type LegName = 'dense' | 'lexical'

export const LEGS_OF = {
  dense: ['dense'],
  lexical: ['lexical'],
  hybrid: ['dense', 'lexical'],
} as const satisfies Record<SearchMode, readonly LegName[]>

export interface Leg {
  name: LegName
  /** One per query. */
  results: SearchResult[]
  /** In the index, waiting included. */
  ms: number
}

interface LegsAnswer {
  legs: Leg[]
  encoded: Encoded
}

/**
 * Asks all legs of a mode at once: words while the model makes the vectors. One that fails ends the others.
 * @throws ServiceError what encoder and index throw
 */
export async function askLegs(
  index: DocumentIndex,
  questions: Questions,
  mode: SearchMode,
  k: number,
  options: SearchOptions,
): Promise<LegsAnswer> {
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  let encoded: Encoded = {}
  const ask = async (name: LegName): Promise<Leg> => {
    let probes: Probe[]
    if (name === 'lexical') probes = questions.terms.map((terms) => ({ terms }))
    else {
      const { rows, ...said } = await questions.vectors(signal)
      encoded = said
      probes = rows.map((vector) => ({ vector }))
    }
    const started = performance.now()
    const results = await index.search(probes, k, { ...options, signal })
    return { name, results, ms: performance.now() - started }
  }
  try {
    return { legs: await Promise.all(LEGS_OF[mode].map(ask)), encoded }
  } catch (error) {
    stop.abort()
    throw error
  }
}
