import type { Prompt } from '../../../encoder/encoder.ts'
import type { TextSample } from '../judged-set/text-sample.ts'
import type { SearchSystem } from '../systems/search-system.ts'
import { ExactRanker } from './exact-ranker.ts'
import { ndcg } from './retrieval-metrics.ts'

const DEPTH = 10
/** Texts embedded at once: within what one request to a service may hold. */
const TEXTS_AT_ONCE = 256

/** Which prompt each side gets. `right` is the method's: queries as questions, documents as statements. */
export const ARMS = {
  right: { query: 'ebar', document: 'ebae' },
  swapped: { query: 'ebae', document: 'ebar' },
  ebae_both: { query: 'ebae', document: 'ebae' },
  ebar_both: { query: 'ebar', document: 'ebar' },
} as const satisfies Record<string, { query: Prompt; document: Prompt }>

type Arm = keyof typeof ARMS
export const ARM_NAMES = Object.keys(ARMS) as Arm[]

export interface PromptReport {
  /** Mean over the queries, every document scored. */
  'ndcg@10': Record<Arm, number>
  /** False where another choice is better: the model then does not earn its two prompts on this set. */
  right_prompts_win: boolean
  documents: number
  queries: number
  /** False where only a part of the set was embedded: compare these figures with one another alone. */
  whole_set: boolean
}

/**
 * What the prompts are worth on a judged set. Both embeddings of a text are asked for at once, so that a model that
 * can gives them from one joint pass; document vectors are scored and let go.
 * @throws ToolError, ServiceError as the system does
 */
export async function reportPrompts(
  system: SearchSystem,
  sample: TextSample,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<PromptReport> {
  const { signal = new AbortController().signal, onProgress } = options
  const queries: Record<Prompt, Float32Array[]> = { ebar: [], ebae: [] }
  const total = sample.queries.length + sample.documents.length
  let done = 0
  for await (const { both, part } of embedded(system, sample.queries, signal)) {
    queries.ebar.push(...both.ebar)
    queries.ebae.push(...both.ebae)
    done += part.length
    onProgress?.(done, total)
  }
  const leftOut = sample.leaveOutSameId ? sample.queries.map(({ id }) => id) : []
  const rankers = ARM_NAMES.map((arm) => ({
    arm,
    ranker: new ExactRanker(queries[ARMS[arm].query], DEPTH, leftOut),
  }))
  for await (const { both, part } of embedded(system, sample.documents, signal)) {
    const ids = part.map(({ id }) => id)
    for (const { arm, ranker } of rankers) ranker.add(ids, both[ARMS[arm].document])
    done += part.length
    onProgress?.(done, total)
  }
  const figures = rankers.map(({ arm, ranker }) => {
    const sum = ranker
      .rankings()
      .reduce((s, ranking, i) => s + ndcg(ranking, sample.judgements.get(sample.queries[i]!.id)!, DEPTH), 0)
    return [arm, sum / sample.queries.length]
  })
  const ndcgOf = Object.fromEntries(figures) as Record<Arm, number>
  return {
    'ndcg@10': ndcgOf,
    right_prompts_win: ARM_NAMES.every((arm) => arm === 'right' || ndcgOf.right > ndcgOf[arm]),
    documents: sample.documents.length,
    queries: sample.queries.length,
    whole_set:
      sample.documents.length >= sample.documentsOfSet && sample.queries.length === sample.queriesOfSet,
  }
}

async function* embedded(
  system: SearchSystem,
  texts: readonly { id: string; text: string }[],
  signal: AbortSignal,
) {
  for (let start = 0; start < texts.length; start += TEXTS_AT_ONCE) {
    const part = texts.slice(start, start + TEXTS_AT_ONCE)
    yield {
      part,
      both: await system.embedBoth(
        part.map(({ text }) => text),
        signal,
      ),
    }
  }
}
