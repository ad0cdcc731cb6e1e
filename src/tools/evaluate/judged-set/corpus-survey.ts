import { isBlank } from '../../../retrieval/checks/check-text.ts'
import type { BeirDocument, BeirSet } from './beir-set.ts'

interface CorpusSurvey {
  /** Lines with text. */
  documents: number
  /** Lines with neither text nor title. */
  empty: number
  /** Judged documents that the corpus lacks: no search can find them. */
  unknown: number
  firstUnknown: string | null
}

/**
 * Reads the corpus through, keeping the judged ids alone.
 * @throws ToolError INPUT_UNUSABLE with the file and line of what is malformed, or where nothing has text
 */
export async function surveyCorpus(set: BeirSet): Promise<CorpusSurvey> {
  const missing = new Set([...set.judgements.values()].flatMap((ofQuery) => [...ofQuery.keys()]))
  let documents = 0
  let empty = 0
  for await (const { id, text } of set.documents()) {
    missing.delete(id)
    if (isBlank(text)) empty++
    else documents++
  }
  const [firstUnknown = null] = missing
  return { documents, empty, unknown: missing.size, firstUnknown }
}

/** The documents that can be stored. */
export async function* withText(set: BeirSet): AsyncGenerator<BeirDocument> {
  for await (const document of set.documents()) if (!isBlank(document.text)) yield document
}
