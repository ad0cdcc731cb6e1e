import { ToolError } from '../../../cli/tool-error.ts'
import type { ServiceClient } from '../../service-client.ts'
import { DEPTH_MAX } from '../figures/retrieval-metrics.ts'
import { RERANKED_HITS, rerankedHits } from './reranked.ts'
import type { ModelFacts, SearchSystem, SystemAnswer } from './search-system.ts'
import { storeSet, type Tag } from './stored-set.ts'

const QUERIES_MAX = 16
/** Texts of one request for embeddings. */
const TEXTS_MAX = 64

interface Info {
  model: ModelFacts
  reranker?: ModelFacts
  device: string
  store: { documents: number }
  limits: { queries: number; k: number; texts: number; body_bytes: number }
}

interface Answer {
  batches: ({ id: string; score: number }[] | { error: { code: string; detail: string } })[]
  paths: string[]
  rerank?: { reason?: string }
  timings_ms: { tokenize: number; queue: number; inference: number; search: number }
}

/**
 * A running service, through its public routes.
 * @throws ToolError INVALID_USAGE where the service holds documents already and they are not the set, or where it
 *   gives fewer results than the deepest figure looks at
 */
export async function serviceSystem(
  client: ServiceClient,
  tag: Tag,
  { useExisting }: { useExisting: boolean },
): Promise<SearchSystem> {
  const { model, reranker, device, store, limits } = await client.send<Info>({ method: 'GET', path: '/info' })
  checkService(client.url, store.documents, limits.k, useExisting)
  const factsOf = ({ id, precision, fingerprint }: ModelFacts) => ({ id, precision, fingerprint })
  const bare = (found: string) => (found.startsWith(tag.prefix) ? found.slice(tag.prefix.length) : found)
  return {
    facts: {
      model: factsOf(model),
      ...(reranker && { reranker: factsOf(reranker) }),
      device,
      at: client.url,
    },
    queriesMax: Math.min(QUERIES_MAX, limits.queries),

    ingest: (documents, options) => storeSet(client, documents, tag, options),

    async search(texts, { k, ef, exact, mode = 'dense', rerank = false, signal }) {
      const wish = rerank && { rerank: { top_n: RERANKED_HITS } }
      const body = JSON.stringify({ queries: texts, k, ef, exact, mode, ...wish, include: [] })
      const started = performance.now()
      const answer = await client.send<Answer>({ method: 'POST', path: '/search', body, signal })
      const request = performance.now() - started
      const { tokenize, queue, inference, search } = answer.timings_ms
      return {
        batches: answer.batches.map((found, index) => {
          if ('error' in found) throw new ToolError('INPUT_UNUSABLE', found.error.detail)
          const hits = found.map(({ id, score }) => ({ id: bare(id), score }))
          return {
            hits: rerank ? rerankedHits(hits, answer.rerank?.reason) : hits,
            path: answer.paths[index]!,
          }
        }),
        timings: { embed: tokenize + queue + inference, search, request },
      } satisfies SystemAnswer
    },

    async embedBoth(texts, signal) {
      const both = { ebar: [] as Float32Array[], ebae: [] as Float32Array[] }
      for (const part of partsOf(texts, Math.min(TEXTS_MAX, limits.texts), limits.body_bytes / 2)) {
        const wish = { texts: part, prompt: 'both', truncate: 'end', encoding_format: 'base64' }
        const sent = { method: 'POST', path: '/embed', body: JSON.stringify(wish), signal } as const
        const { ebar, ebae } = await client.send<{ ebar: string[]; ebae: string[] }>(sent)
        both.ebar.push(...ebar.map(vectorOf))
        both.ebae.push(...ebae.map(vectorOf))
      }
      return both
    },
  }
}

function checkService(url: string, documents: number, kMax: number, useExisting: boolean): void {
  if (documents > 0 && !useExisting) {
    throw new ToolError(
      'INVALID_USAGE',
      `The service at ${url} holds ${documents} documents, which would mix with the judged ones; nothing was changed. ` +
        'Take an empty one (another DATA_DIR), or --use-existing where it holds this set already.',
    )
  }
  if (documents === 0 && useExisting) {
    throw new ToolError('INVALID_USAGE', `The service at ${url} holds nothing: leave out --use-existing.`)
  }
  if (kMax >= DEPTH_MAX) return
  throw new ToolError(
    'INVALID_USAGE',
    `The service at ${url} gives ${kMax} results at most; recall@${DEPTH_MAX} needs K_MAX=${DEPTH_MAX}.`,
  )
}

function* partsOf(texts: readonly string[], count: number, bytesMax: number): Generator<string[]> {
  let part: string[] = []
  let bytes = 0
  for (const text of texts) {
    const size = Buffer.byteLength(JSON.stringify(text)) + 1
    if (part.length > 0 && (part.length === count || bytes + size > bytesMax)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(text)
    bytes += size
  }
  if (part.length > 0) yield part
}

/** Little-endian float32 in base64. */
function vectorOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64')
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))
}
