import { ARM_NAMES, ARMS } from '../figures/compare-prompts.ts'
import { METRIC_NAMES } from '../figures/retrieval-metrics.ts'
import type { SetFacts } from '../figures/set-facts.ts'
import { notes, type Origin, type Report } from './report.ts'

/** A report as a table for a terminal. */
export function terminalTable(report: Report): string {
  const { set, queries, judgements, seconds } = report
  return [
    `${set}: ${corpusLine(report)}, ${queries} queries, ${judgements} judgements`,
    originLine(report),
    `documents ${seconds.documents.toFixed(1)} s, queries ${seconds.queries.toFixed(1)} s`,
    '',
    ...scoreRows(report),
    `the graph finds ${(100 * report['hnsw_recall@10']).toFixed(2)} % of the exact ten nearest`,
    '',
    ...latencyRows(report),
    ...promptRows(report),
    ...driftRows(report),
    ...notes(report).map((line) => `! ${line}`),
    '',
  ].join('\n')
}

export function originLine({ model, device, at, machine }: Origin): string {
  return `${model.id} ${model.precision} on ${device}, ${at}; ${machine.processor}, ${machine.threads} threads, Node ${machine.node}`
}

export function corpusLine({ corpus }: SetFacts): string {
  if (!corpus) return 'documents already there'
  return `${corpus.documents} documents (${corpus.truncatedDocuments} cut, ${corpus.skippedDocuments} empty)`
}

function scoreRows({ exact, hnsw, ann_loss, bm25 }: Report): string[] {
  const columns = ['exact', 'hnsw', 'lost', ...(bm25 ? ['BM25'] : [])]
  return [
    row('figure', columns),
    ...METRIC_NAMES.map((name) => {
      const values = [exact[name], hnsw[name], ann_loss[name], ...(bm25 ? [bm25[name]] : [])]
      return row(name, values.map(score))
    }),
  ]
}

function latencyRows({ latency_ms }: Report): string[] {
  const names = { embed: 'embed', search: 'search', request: 'whole request' } as const
  return [
    row('milliseconds', ['p50', 'p95', 'p99']),
    ...(['embed', 'search', 'request'] as const).map((part) => {
      const { p50, p95, p99 } = latency_ms[part]
      return row(
        names[part],
        [p50, p95, p99].map((value) => value.toFixed(2)),
      )
    }),
    '',
  ]
}

function promptRows({ prompts }: Report): string[] {
  if (!prompts) return []
  const extent = prompts.whole_set ? 'none left out' : 'a sample'
  return [
    `prompts, exact scoring, ${prompts.documents} documents and ${prompts.queries} queries (${extent})`,
    row('', ['query', 'documents', 'ndcg@10']),
    ...ARM_NAMES.map((arm) =>
      row(arm.replace('_', ' on '), [
        ARMS[arm].query.toUpperCase(),
        ARMS[arm].document.toUpperCase(),
        score(prompts['ndcg@10'][arm]),
      ]),
    ),
    '',
  ]
}

function driftRows({ drift }: Report): string[] {
  if (!drift) return []
  const { documents, queries, 'ndcg@10': ndcg, reference } = drift
  const extent = drift.whole_set ? 'no text left out' : 'a sample of the set'
  return [
    `drift from ${reference.id} ${reference.precision} (${extent})`,
    row('cosine', ['mean', 'worst', 'vectors']),
    row('documents', [six(documents.meanCosine), six(documents.worstCosine), String(documents.vectors)]),
    row('queries', [six(queries.meanCosine), six(queries.worstCosine), String(queries.vectors)]),
    `ndcg@10 ${score(ndcg.reference)} -> ${score(ndcg.model)} (${ndcg.change >= 0 ? '+' : ''}${score(ndcg.change)})`,
    '',
  ]
}

export function row(name: string, cells: readonly string[]): string {
  return name.padEnd(14) + cells.map((cell) => cell.padStart(11)).join('')
}

export function score(value: number): string {
  // No -0.0000.
  return (Math.round(value * 1e4) / 1e4 + 0).toFixed(4)
}

function six(value: number): string {
  return value.toFixed(6)
}
