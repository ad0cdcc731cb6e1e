import { ServiceError } from '../../errors.ts'
import type { DocumentField, DocumentPart } from '../../index/document.ts'
import { checkId } from '../checks/check-document.ts'
import { checkText, queryBound, textBound } from '../checks/check-text.ts'
import { passageText } from '../passages/passage-text.ts'
import type { Retrieval, Timings } from '../retrieval.ts'
import { rerankerOf } from './reranker-of.ts'
import { bestFirst, type Scored, scoreTexts } from './score-texts.ts'
import { storedTexts } from './stored-texts.ts'

/** Missing ids that an error names. */
const NAMED_MAX = 20

/** A text to score, given by the caller. */
export interface GivenText {
  text: string
  title?: string | null
}

export interface RerankRequest {
  query: string
  /** Texts of the caller's own, or ids of documents of the collection. */
  texts: { documents: readonly GivenText[] } | { ids: readonly string[] }
  /** Results wanted; default all. */
  topN?: number
  /** The model that the caller means, if it says so. */
  model?: string
  /** What to read of the results' documents, with ids. */
  fields?: readonly DocumentField[]
  signal: AbortSignal
}

export interface RerankResult {
  /** Which of the texts. */
  index: number
  /** The model's logit. */
  score: number
  /** The fields that were asked for, with ids. */
  document?: DocumentPart
}

export interface RerankAnswer extends Omit<Scored, 'scores' | 'timings'> {
  /** Id of the model. */
  model: string
  /** Best first; equal scores in the order of the texts. */
  results: RerankResult[]
  timings: Omit<Timings, 'search'> & { documents?: number }
}

/**
 * Puts texts in the order in which they answer a query. Few texts take the interactive lane, many the bulk lane.
 *
 * @throws ServiceError NO_RERANKER, NOT_FOUND (another model; ids without a document, `ids` names them), INVALID_INPUT,
 *   TOO_LARGE, and what index and reranker throw
 */
export async function rerank(retrieval: Retrieval, request: RerankRequest): Promise<RerankAnswer> {
  const started = performance.now()
  const { index, limits } = retrieval
  const { query, topN, fields = [], signal } = request
  const reranker = rerankerOf(retrieval, request.model)
  checkText(query, 'query', queryBound(limits))
  const texts = await textsOf(retrieval, request)
  const read = performance.now()
  const lane = texts.length <= limits.rerankTopNMax ? 'interactive' : 'bulk'
  const { scores, timings, ...scored } = await scoreTexts(reranker, query, texts, { lane, signal })
  const best = bestFirst(scores).slice(0, topN)
  const results = best.map((i): RerankResult => ({ index: i, score: scores[i]! }))
  const byIds = 'ids' in request.texts ? request.texts.ids : undefined
  if (byIds && fields.length > 0) {
    const documents = await index.get(
      best.map((i) => byIds[i]!),
      { fields, signal },
    )
    for (const [i, document] of documents.entries()) if (document) results[i]!.document = document
  }
  return {
    model: reranker.card.id,
    results,
    ...scored,
    timings: {
      ...timings,
      ...(byIds && { documents: read - started }),
      total: performance.now() - started,
    },
  }
}

/** What the reranker reads of each. */
async function textsOf({ index, limits }: Retrieval, { texts, signal }: RerankRequest): Promise<string[]> {
  if ('documents' in texts) {
    const bound = textBound(limits)
    return texts.documents.map(({ text, title }, i) => {
      checkText(text, `documents[${i}]`, bound)
      if (title) checkText(title, `documents[${i}].title`, bound)
      return passageText({ title: title || null, text })
    })
  }
  const { ids } = texts
  for (const [i, id] of ids.entries()) checkId(id, `ids[${i}]`)
  const wanted = ids.map((id) => ({ id }))
  const found = await storedTexts(index, wanted, { signal, leaveOutDamaged: false })
  const missing = [...new Set(ids.filter((_, i) => found[i] === undefined))]
  if (missing.length === 0) return found as string[]
  const message = `${missing.length} of the ids have no document; details.ids names ${missing.length > NAMED_MAX ? `the first ${NAMED_MAX}` : 'them'}.`
  throw new ServiceError('NOT_FOUND', message, { field: 'ids', ids: missing.slice(0, NAMED_MAX) })
}
