import type { Report } from '../../../../src/tools/evaluate/report/report.ts'

const scores = (of: number) => ({
  'ndcg@10': of,
  'mrr@10': of / 2,
  'recall@10': of / 4,
  'recall@100': of,
  'recall@1000': of,
})

const percentiles = { p50: 1.234, p95: 5, p99: 9 }

/** A report with every part, for what is done with reports. */
export const REPORT = {
  set: 'words',
  corpus: {
    documents: 6,
    truncatedDocuments: 1,
    skippedDocuments: 2,
    refusedDocuments: 0,
    firstRefusal: null,
    unknownDocuments: 3,
    firstUnknown: 'lost',
  },
  documents: 6,
  queries: 2,
  judgements: 4,
  rejudged: 0,
  sameIdLeftOut: false,
  missingQueries: 0,
  hopelessQueries: 0,
  exact: scores(2 / 3),
  hnsw: scores(0.6),
  ann_loss: scores(2 / 3 - 0.6),
  'hnsw_recall@10': 0.95,
  paths: ['hnsw'],
  latency_ms: { embed: percentiles, search: percentiles, request: percentiles },
  seconds: { documents: 1, queries: 2 },
  bm25: { ...scores(0.5), parameters: { k1: 0.9, b: 0.4, stemmer: 'porter' }, seconds: 0.1 },
  prompts: {
    'ndcg@10': { right: 0.5, swapped: 0.25, ebae_both: 0.625, ebar_both: 0.125 },
    right_prompts_win: false,
    documents: 6,
    queries: 2,
    whole_set: true,
  },
  drift: {
    reference: { id: 'tiny', precision: 'fp32', fingerprint: 'f' },
    whole_set: true,
    documents: { vectors: 6, meanCosine: 0.99, worstCosine: 0.9876543 },
    queries: { vectors: 2, meanCosine: 0.995, worstCosine: 0.993 },
    'ndcg@10': { model: 0.6543, reference: 0.66664, change: -0.01234 },
  },
  model: { id: 'tiny', precision: 'int8', fingerprint: 'e' },
  device: 'cpu',
  at: 'embedded',
  machine: { processor: 'CPU', threads: 2, node: 'v20', platform: 'linux x64' },
  version: '1.2.3',
} satisfies Report
