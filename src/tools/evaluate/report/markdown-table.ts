import { ARM_NAMES } from '../figures/compare-prompts.ts'
import { notes, type Origin, type Report } from './report.ts'

/** Reports of one model on several sets as a markdown table, with what is needed to repeat it. */
export function markdownTable(reports: readonly Report[], command: string): string {
  const [first] = reports
  if (!first) return ''
  const withBm25 = reports.some(({ bm25 }) => bm25)
  const headings = [
    'set',
    'documents / queries',
    'nDCG@10 exact',
    'hnsw',
    'MRR@10',
    'recall@10',
    'recall@100',
    'recall@1000',
    'graph finds of the exact 10',
    ...(withBm25 ? ['BM25 nDCG@10'] : []),
  ]
  return [
    ...origin(first, command),
    ...markdownRows(
      headings,
      reports.map((report) => cells(report, withBm25)),
    ),
    ...extras(reports),
    ...reports.flatMap((report) => notes(report).map((line) => `\n${report.set}: ${line}`)),
    '',
  ].join('\n')
}

/** Where figures are from, and how to repeat them. */
export function origin({ model, device, at, machine, version }: Origin, command: string): string[] {
  return [
    `${model.id} ${model.precision} on ${device}, ${at}; LLaRA Serve ${version}; ${machine.processor}, ` +
      `${machine.threads} threads, Node ${machine.node}:`,
    '',
    `\`${command}\``,
    '',
  ]
}

function cells(report: Report, withBm25: boolean): string[] {
  const { set, documents, queries, exact, hnsw, bm25 } = report
  return [
    set,
    `${documents ?? '?'} / ${queries}`,
    three(exact['ndcg@10']),
    three(hnsw['ndcg@10']),
    three(exact['mrr@10']),
    three(exact['recall@10']),
    three(exact['recall@100']),
    three(exact['recall@1000']),
    `${(100 * report['hnsw_recall@10']).toFixed(1)} %`,
    ...(withBm25 ? [bm25 ? three(bm25['ndcg@10']) : ''] : []),
  ]
}

function extras(reports: readonly Report[]): string[] {
  const prompts = reports.flatMap(({ set, prompts: of }) =>
    of ? [[set, ...ARM_NAMES.map((arm) => three(of['ndcg@10'][arm]))]] : [],
  )
  const drifts = reports.flatMap(({ set, drift }) => {
    if (!drift) return []
    const { documents, queries, 'ndcg@10': ndcg } = drift
    const worst = Math.min(documents.worstCosine, queries.worstCosine)
    const cosines = [documents.meanCosine, queries.meanCosine, worst].map((value) => value.toFixed(5))
    return [[set, drift.reference.precision, ...cosines, three(ndcg.reference), three(ndcg.model)]]
  })
  const drift = ['mean cosine, documents', 'queries', 'worst', 'nDCG@10 before', 'after']
  return [
    ...(prompts.length > 0
      ? [
          '',
          ...markdownRows(
            ['nDCG@10 by prompts', ...ARM_NAMES.map((arm) => arm.replace('_', ' on '))],
            prompts,
          ),
        ]
      : []),
    ...(drifts.length > 0 ? ['', ...markdownRows(['drift', 'against', ...drift], drifts)] : []),
  ]
}

export function markdownRows(headings: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(headings), `|${headings.map(() => '---').join('|')}|`, ...lines.map(line)]
}

export function three(value: number): string {
  return value.toFixed(3)
}
