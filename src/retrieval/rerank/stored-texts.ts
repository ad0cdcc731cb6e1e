import { ServiceError } from '../../errors.ts'
import type { Span } from '../../index/document.ts'
import type { DocumentIndex } from '../../index/document-index.ts'
import { passageText } from '../passages/passage-text.ts'

/** Documents read at once. */
const READ_AT_ONCE = 32

/** A document, or a passage of it. */
export interface Wanted {
  id: string
  passage?: Span
}

export interface ReadOptions {
  signal: AbortSignal
  /** Whether a damaged document counts as gone; otherwise it is an error. */
  leaveOutDamaged: boolean
}

/**
 * What the reranker reads of stored documents: the title before the passage, or before the whole text. Undefined where
 * there is no such document. Documents are read a few at a time, however long they are.
 *
 * @throws ServiceError DOCUMENT_DAMAGED, and what else the index throws
 */
export async function storedTexts(
  index: DocumentIndex,
  wanted: readonly Wanted[],
  options: ReadOptions,
): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = []
  for (let start = 0; start < wanted.length; start += READ_AT_ONCE) {
    texts.push(...(await read(index, wanted.slice(start, start + READ_AT_ONCE), options)))
  }
  return texts
}

async function read(
  index: DocumentIndex,
  wanted: readonly Wanted[],
  options: ReadOptions,
): Promise<(string | undefined)[]> {
  const { signal, leaveOutDamaged } = options
  try {
    const ids = wanted.map(({ id }) => id)
    const documents = await index.get(ids, { fields: ['title', 'text'], signal })
    return documents.map((document, i) => {
      if (!document) return undefined
      const { title = null, text = '' } = document
      return passageText({ title, text: partOf(text, wanted[i]!.passage) })
    })
  } catch (error) {
    const code = error instanceof ServiceError ? error.code : undefined
    if (code !== 'DOCUMENT_DAMAGED' && code !== 'TOO_LARGE') throw error
    if (wanted.length === 1) {
      if (leaveOutDamaged) return [undefined]
      throw error
    }
  }
  // Too much for one answer of the index, or one of them is damaged: halves show which.
  const half = wanted.length >> 1
  const before = await read(index, wanted.slice(0, half), options)
  return [...before, ...(await read(index, wanted.slice(half), options))]
}

/** The passage of a text, which may have been replaced since the passage was found. */
function partOf(text: string, span: Span | undefined): string {
  const part = span ? text.slice(span.start, span.end) : ''
  if (part === '') return text
  // A slice would hold all of a long text in memory for as long as it is needed itself.
  return part.length * 2 > text.length ? part : Buffer.from(part, 'utf16le').toString('utf16le')
}
