import { isBlank } from '../../../retrieval/checks/check-text.ts'
import { passageText } from '../../../retrieval/passages/passage-text.ts'
import type { BeirDocument, BeirSet } from './beir-set.ts'

/** Texts held in memory at most, judged documents apart, which are all kept. */
const SAMPLE_DOCUMENTS_MAX = 20_000
const SAMPLE_QUERIES_MAX = 1_000

/** Texts of a judged set as they are embedded, few enough to be held in memory. */
export interface TextSample {
  documents: { id: string; text: string }[]
  queries: BeirSet['queries']
  judgements: BeirSet['judgements']
  leaveOutSameId: boolean
  /** Documents of the set with text. */
  documentsOfSet: number
  queriesOfSet: number
}

/**
 * The set itself where it is small enough; else evenly spaced queries, every document judged for them and evenly
 * spaced others. Reads the corpus twice.
 * @throws ToolError as reading the set does
 */
export async function sampleTexts(
  set: BeirSet,
  { documentsMax = SAMPLE_DOCUMENTS_MAX, queriesMax = SAMPLE_QUERIES_MAX } = {},
): Promise<TextSample> {
  const step = Math.ceil(set.queries.length / queriesMax)
  const queries = set.queries.filter((_, index) => index % step === 0)
  const judgements = new Map(queries.map(({ id }) => [id, set.judgements.get(id)!]))
  const judged = new Set([...judgements.values()].flatMap((ofQuery) => [...ofQuery.keys()]))
  let documentsOfSet = 0
  for await (const document of set.documents()) if (isUsable(document)) documentsOfSet++
  const othersMax = Math.max(1, documentsMax - judged.size)
  const stride = documentsOfSet <= documentsMax ? 1 : Math.ceil(documentsOfSet / othersMax)
  const documents: TextSample['documents'] = []
  let index = 0
  for await (const document of set.documents()) {
    if (!isUsable(document)) continue
    if (index++ % stride !== 0 && !judged.has(document.id)) continue
    documents.push({ id: document.id, text: passageText(document) })
  }
  return {
    documents,
    queries,
    judgements,
    leaveOutSameId: set.leaveOutSameId,
    documentsOfSet,
    queriesOfSet: set.queries.length,
  }
}

function isUsable({ title, text }: BeirDocument): boolean {
  return !isBlank(text) && text.isWellFormed() && (title ?? '').isWellFormed()
}
