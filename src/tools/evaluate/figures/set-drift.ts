import { ToolError } from '../../../cli/tool-error.ts'
import type { Encoder, Prompt } from '../../../encoder/encoder.ts'
import { similarity } from '../../../index/similarity.ts'
import { retryWhenOverloaded } from '../../../retrieval/encode-bulk.ts'
import type { TextSample } from '../judged-set/text-sample.ts'
import { ExactRanker } from './exact-ranker.ts'
import { ndcg } from './retrieval-metrics.ts'

/** Texts handed to the encoder at once. */
const TEXTS_AT_ONCE = 256
const NDCG_DEPTH = 10

/** A model's vectors of a sample, in its order; unit length. */
interface SampleVectors {
  /** EBAE. */
  documents: Float32Array[]
  /** EBAR. */
  queries: Float32Array[]
}

interface CosineFigures {
  vectors: number
  meanCosine: number
  worstCosine: number
}

/** How far one model's vectors of real texts lie from another's, and what that does to the ranking. */
export interface SetDrift {
  documents: CosineFigures
  queries: CosineFigures
  /** Exact scoring over the sample. `change` is the model's less the reference's: negative is a loss. */
  'ndcg@10': { model: number; reference: number; change: number }
}

interface EmbedOptions {
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/**
 * Embeds a sample as the service would: documents with EBAE, queries with EBAR, over-long texts cut. Models that do
 * not fit into memory together can be embedded one after the other.
 * @throws ServiceError what the encoder throws; a full queue is waited for
 */
export async function embedSample(
  encoder: Encoder,
  sample: TextSample,
  options: EmbedOptions = {},
): Promise<SampleVectors> {
  const { signal = new AbortController().signal, onProgress } = options
  const total = sample.documents.length + sample.queries.length
  let done = 0
  const embed = async (given: readonly { text: string }[], prompt: Prompt) => {
    const vectors: Float32Array[] = []
    for (let start = 0; start < given.length; start += TEXTS_AT_ONCE) {
      const texts = given.slice(start, start + TEXTS_AT_ONCE).map(({ text }) => text)
      const run = () => encoder.encode(texts, [prompt], { truncate: 'end', signal })
      vectors.push(...(await retryWhenOverloaded(run, signal)).vectors[prompt])
      done += texts.length
      onProgress?.(done, total)
    }
    return vectors
  }
  return { documents: await embed(sample.documents, 'ebae'), queries: await embed(sample.queries, 'ebar') }
}

/**
 * Drift of a model from a reference, e.g. int8 from fp32 of the same weights. Both must embed into the same space.
 * @throws ToolError INVALID_USAGE where the dimensions differ
 */
export function setDrift(
  { model, reference }: { model: SampleVectors; reference: SampleVectors },
  sample: TextSample,
): SetDrift {
  const [ours, theirs] = [model.queries[0]?.length, reference.queries[0]?.length]
  if (ours !== theirs) {
    const message = `The two models have ${ours} and ${theirs} dimensions; models must share one vector space to be compared.`
    throw new ToolError('INVALID_USAGE', message)
  }
  const [ofModel, ofReference] = [meanNdcg(model, sample), meanNdcg(reference, sample)]
  return {
    documents: cosines(model.documents, reference.documents),
    queries: cosines(model.queries, reference.queries),
    'ndcg@10': { model: ofModel, reference: ofReference, change: ofModel - ofReference },
  }
}

/** nDCG@10 of a sample's queries over its documents, every document scored. */
export function meanNdcg({ documents, queries }: SampleVectors, sample: TextSample): number {
  const leftOut = sample.leaveOutSameId ? sample.queries.map(({ id }) => id) : []
  const ranker = new ExactRanker(queries, NDCG_DEPTH, leftOut)
  ranker.add(
    sample.documents.map(({ id }) => id),
    documents,
  )
  const rankings = ranker.rankings()
  const sum = sample.queries.reduce(
    (total, { id }, row) => total + ndcg(rankings[row]!, sample.judgements.get(id)!, NDCG_DEPTH),
    0,
  )
  return sum / sample.queries.length
}

function cosines(ones: readonly Float32Array[], others: readonly Float32Array[]): CosineFigures {
  let sum = 0
  let worst = 1
  for (const [row, one] of ones.entries()) {
    const cosine = similarity(one, others[row]!)
    sum += cosine
    worst = Math.min(worst, cosine)
  }
  return { vectors: ones.length, meanCosine: sum / ones.length, worstCosine: worst }
}
