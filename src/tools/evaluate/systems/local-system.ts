import { embed } from '../../../retrieval/embed.ts'
import { type IngestLine, ingestStream } from '../../../retrieval/ingest-stream.ts'
import type { Retrieval } from '../../../retrieval/retrieval.ts'
import { search } from '../../../retrieval/search/search.ts'
import type { BeirDocument } from '../judged-set/beir-set.ts'
import type { SearchSystem } from './search-system.ts'

const QUERIES_MAX = 16

/** The parts of this process, through the same verbs that serve requests. The index should be empty. */
export function localSystem(retrieval: Retrieval): SearchSystem {
  const { id, precision, fingerprint } = retrieval.encoder.card
  return {
    facts: {
      model: { id, precision, fingerprint },
      device: retrieval.encoder.device.provider,
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

    async search(texts, { k, ef, exact = false, mode = 'dense', signal }) {
      const { batches, timings } = await search(retrieval, {
        target: { kind: 'texts', texts, task: 'retrieval', field: 'queries' },
        k,
        mode,
        options: { fields: [], tuning: { exact, ...(ef !== undefined && { ef }) }, signal },
      })
      const { tokenize, queue, inference, search: store, total } = timings
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
