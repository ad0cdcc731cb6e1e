import { passageText } from '../../../retrieval/passages/passage-text.ts'
import {
  askedFor,
  atEveryDepth,
  DEPTH_MAX,
  judgedOrder,
  MeanScores,
  type Scores,
} from '../figures/retrieval-metrics.ts'
import type { BeirSet } from '../judged-set/beir-set.ts'
import { BM25_PARAMETERS, Bm25 } from './bm25.ts'

export interface Bm25Figures extends Scores {
  parameters: typeof BM25_PARAMETERS & { stemmer: 'porter' }
  seconds: number
}

/** BM25's figures on a judged set, over title and text as the model reads them. */
export async function judgeBm25(
  set: BeirSet,
  onProgress?: (done: number, total: number) => void,
): Promise<Bm25Figures> {
  const started = performance.now()
  const index = new Bm25(set.queries.map(({ text }) => text))
  for await (const document of set.documents()) index.add(document.id, passageText(document))
  const scores = new MeanScores()
  for (const [done, { id, text }] of set.queries.entries()) {
    const hits = index.search(text, askedFor(DEPTH_MAX, set.leaveOutSameId))
    const ranking = judgedOrder(hits, set.leaveOutSameId ? id : undefined).slice(0, DEPTH_MAX)
    scores.add(atEveryDepth(ranking), set.judgements.get(id)!)
    onProgress?.(done + 1, set.queries.length)
  }
  const parameters = { ...BM25_PARAMETERS, stemmer: 'porter' as const }
  return { ...scores.means(), parameters, seconds: (performance.now() - started) / 1000 }
}
