import { embed } from '../../../retrieval/embed.ts'
import { type IngestLine, ingestStream } from '../../../retrieval/ingest-stream.ts'
import type { Retrieval } from '../../../retrieval/retrieval.ts'
import { search } from '../../../retrieval/search/search.ts'
import type { BeirDocument } from '../judged-set/beir-set.ts'
import { RERANKED_HITS, rerankedHits } from './reranked.ts'
import type { ModelFacts, SearchSystem } from './search-system.ts'

const QUERIES_MAX = 16
/** Here nobody waits. */
export const RERANK_MS_MAX = 3_600_000

/** The parts of this process, through the same verbs that serve requests. The index should be empty. */
export function localSystem(retrieval: Retrieval): SearchSystem {
  const { encoder, reranker } = retrieval
  const factsOf = ({ id, precision, fingerprint }: ModelFacts) => ({ id, precision, fingerprint })
  return {
    facts: {
      model: factsOf(encoder.card),
      ...(reranker && { reranker: factsOf(reranker.card) }),
      device: encoder.device.provider,
      at: 'embedded',
    },
    queriesMax: QUERIES_MAX,

    async ingest(documents, { signal, onStored }) {
      const summary = await ingestStream(retrieval, asLines(documents, onStored), { truncate: 'end', signal })
      const [first] = summary.errors
      return {
        documents: summary.created,
        truncated: summary.truncatedTotal,
        refused: summary.failed,
        firstRefusal: first ? `corpus.jsonl:${first.line}: ${first.detail}` : null,
      }
    },

    async search(texts, { k, ef, exact = false, mode = 'dense', rerank = false, signal }) {
      const until = performance.now() + RERANK_MS_MAX
      const answer = await search(retrieval, {
        target: { kind: 'texts', texts, task: 'retrieval', field: 'queries' },
        k,
        mode,
        ...(rerank && { rerank: { topN: RERANKED_HITS, until } }),
        options: { fields: [], tuning: { exact, ...(ef !== undefined && { ef }) }, signal },
      })
      for (const { error } of answer.batches) if (error) throw error
      const { tokenize, queue, inference, search: store, total } = answer.timings
      const batches = rerank
        ? answer.batches.map(({ hits, path }) => ({ hits: rerankedHits(hits, answer.rerank?.reason), path }))
        : answer.batches
      return { batches, timings: { embed: tokenize + queue + inference, search: store, request: total } }
    },

    async embedBoth(texts, signal) {
      const request = { texts, prompts: ['ebar', 'ebae'], truncate: 'end', field: 'texts', signal } as const
      const { ebar, ebae } = (await embed(retrieval, request)).vectors
      return { ebar, ebae }
    },
  }
}

async function* asLines(
  documents: AsyncIterable<BeirDocument>,
  onStored: (done: number) => void,
): AsyncGenerator<IngestLine> {
  let done = 0
  for await (const { line, id, title, text } of documents) {
    yield { line, document: { id, title, text }, bytes: Buffer.byteLength(text) }
    // Reading waits for the encoder, so what was read is at most a few batches ahead of what is stored.
    onStored(++done)
  }
}
