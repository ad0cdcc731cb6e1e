import { MODE_METRICS, type ModeFigures } from '../figures/judge-modes.ts'
import { RERANKED_HITS } from '../systems/reranked.ts'
import { markdownRows, origin, three } from './markdown-table.ts'
import { type ModesReport, setNotes } from './report.ts'
import { corpusLine, originLine, row, score } from './terminal-table.ts'

/** One set in several modes, for a terminal. */
export function modesTerminalTable(report: ModesReport): string {
  const { set, queries, judgements, bm25 } = report
  const modes = Object.entries(report.modes)
  const columns = [...modes.map(([mode]) => mode), ...(bm25 ? ['BM25'] : [])]
  return [
    `${set}: ${corpusLine(report)}, ${queries} queries, ${judgements} judgements`,
    originLine(report),
    ...rerankerLine(report),
    '',
    row('figure', columns),
    ...MODE_METRICS.map((name) =>
      row(name, [...modes.map(([, figures]) => score(figures[name])), ...(bm25 ? [score(bm25[name])] : [])]),
    ),
    ...(['p50', 'p95'] as const).map((share) =>
      row(
        `ms ${share}`,
        modes.map(([, { latency_ms }]) => latency_ms.request[share].toFixed(2)),
      ),
    ),
    '',
    ...setNotes(report).map((line) => `! ${line}`),
    '',
  ].join('\n')
}

/** Several sets in several modes, with the mean over sets, as a markdown table. */
export function modesMarkdownTable(reports: readonly ModesReport[], command: string): string {
  const [first] = reports
  if (!first) return ''
  const modes = Object.keys(first.modes) as (keyof ModesReport['modes'])[]
  const withBm25 = reports.some(({ bm25 }) => bm25)
  const ndcg = (report: ModesReport) => [
    ...modes.map((mode) => report.modes[mode]?.['ndcg@10']),
    ...(withBm25 ? [report.bm25?.['ndcg@10']] : []),
  ]
  const lines = reports.map((report) => [
    report.set,
    `${report.documents ?? '?'} / ${report.queries}`,
    ...ndcg(report).map((value) => (value === undefined ? '' : three(value))),
  ])
  const columns = ndcg(first).map((_, column) => reports.map((report) => ndcg(report)[column] ?? 0))
  const means = ['mean', '', ...columns.map((values) => three(mean(values)))]
  const ofMode = (mode: keyof ModesReport['modes'], figure: (figures: ModeFigures) => number) =>
    mean(reports.flatMap((report) => (report.modes[mode] ? [figure(report.modes[mode])] : [])))
  return [
    ...origin(first, command),
    ...rerankerLine(first).flatMap((line) => [`${line}.`, '']),
    ...markdownRows(
      ['nDCG@10', 'documents / queries', ...modes, ...(withBm25 ? ["BM25 of the evaluation's own"] : [])],
      [...lines, means],
    ),
    '',
    ...markdownRows(
      ['mean of the sets', ...MODE_METRICS, 'ms p50 of one search', 'p95'],
      modes.map((mode) => [
        mode,
        ...MODE_METRICS.map((name) => three(ofMode(mode, (figures) => figures[name]))),
        ofMode(mode, ({ latency_ms }) => latency_ms.request.p50).toFixed(1),
        ofMode(mode, ({ latency_ms }) => latency_ms.request.p95).toFixed(1),
      ]),
    ),
    ...reports.flatMap((report) => setNotes(report).map((line) => `\n${report.set}: ${line}`)),
    '',
  ].join('\n')
}

/** Which model made the figures of `rerank`. */
function rerankerLine({ reranker, modes }: ModesReport): string[] {
  if (!reranker || !modes.rerank) return []
  return [`rerank: the first ${RERANKED_HITS} of hybrid, by ${reranker.id} ${reranker.precision}`]
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
