import type { Bm25Figures } from '../bm25/judge-bm25.ts'
import type { PromptReport } from '../figures/compare-prompts.ts'
import type { ModesFigures } from '../figures/judge-modes.ts'
import type { SearchFigures } from '../figures/judge-search.ts'
import type { SetDrift } from '../figures/set-drift.ts'
import type { SetFacts } from '../figures/set-facts.ts'
import type { SystemFacts } from '../systems/search-system.ts'

/** The machine that asked; a running service may be on another. */
export interface Machine {
  processor: string
  threads: number
  node: string
  platform: string
}

/** What was judged, and where. */
export interface Origin extends SystemFacts {
  set: string
  machine: Machine
  /** Version of this software. */
  version: string
}

/** Everything known about one set: what --json prints and the table is made from. */
export interface Report extends SearchFigures, Origin {
  bm25?: Bm25Figures
  prompts?: PromptReport
  drift?: SetDrift & { reference: SystemFacts['model']; whole_set: boolean }
}

/** A set in several modes. */
export interface ModesReport extends ModesFigures, Origin {
  bm25?: Bm25Figures
}

type Said = (string | false | null | undefined)[]

/** What a reader must know to read the figures rightly. */
export function notes(report: Report): string[] {
  const { prompts } = report
  const said: Said = [
    !report.paths.includes('hnsw') &&
      'No search used the HNSW graph: with this few documents every one was scored, which is cheaper (EXACT_SCORING_MAX). The figures therefore show no loss.',
    prompts && !prompts.right_prompts_win && promptWarning(prompts),
  ]
  return [...setNotes(report), ...said.filter((line) => typeof line === 'string')]
}

/** What a reader must know of the set. */
export function setNotes(report: SetFacts): string[] {
  const { corpus } = report
  const said: Said = [
    corpus &&
      corpus.unknownDocuments > 0 &&
      `${corpus.unknownDocuments} judged documents are not in the corpus (first: ${corpus.firstUnknown}); they count as not found, as in trec_eval.`,
    corpus &&
      corpus.refusedDocuments > 0 &&
      `${corpus.refusedDocuments} documents were refused and cannot be found (first: ${corpus.firstRefusal}).`,
    report.missingQueries > 0 &&
      `${report.missingQueries} queries of the qrels are not in queries.jsonl, or have no text there; they were not asked and do not count.`,
    report.rejudged > 0 &&
      `${report.rejudged} pairs are judged more than once and differently; the last judgement counts, as in BEIR.`,
    report.sameIdLeftOut &&
      "The queries are documents of the set: a document with the query's own id is left out of its results, as in BEIR (--same-id keep counts it).",
    report.hopelessQueries > 0 &&
      `${report.hopelessQueries} queries have no relevant document; they count as 0, as in trec_eval.`,
  ]
  return said.filter((line) => typeof line === 'string')
}

function promptWarning({ 'ndcg@10': figures }: PromptReport): string {
  const others = Object.entries(figures).filter(([arm]) => arm !== 'right')
  const [arm, value] = others.sort((a, b) => b[1] - a[1])[0]!
  return (
    `The right prompts do not win here: nDCG@10 ${figures.right.toFixed(4)} against ${value.toFixed(4)} ` +
    `(${arm.replace('_', ' on ')}). On these texts two prompts are no better than one.`
  )
}
