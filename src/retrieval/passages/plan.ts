import { setMaxListeners } from 'node:events'
import { type CountTokens, cutText } from '../../chunking/cut-text.ts'
import type { Truncate } from '../../encoder/encoder.ts'
import { ServiceError } from '../../errors.ts'
import type { Chunking } from '../../index/collection-settings.ts'
import type { CheckedDocument, Span } from '../../index/document.ts'
import { isBlank } from '../checks/check-text.ts'
import { isOwnFault } from '../halves.ts'
import { tooLong } from '../rename-text-index.ts'
import type { Retrieval } from '../retrieval.ts'
import { passageText } from './passage-text.ts'

/** A document and how it is cut, before anything is embedded. */
export interface PlannedDocument {
  document: CheckedDocument
  /** At least one, in the order of the text. */
  spans: Span[]
  /** What stands before each passage when it is embedded. */
  title: string | null
  /** Whether that is less than the document's title, which is too long. */
  titleCut: boolean
  /** Whether the model may cut a passage, because the whole is to be one. */
  mayBeCut: boolean
  /** Of the whole, at unit length, where it need not be embedded. */
  vector?: Float32Array
}

export interface PlanOptions {
  truncate: Truncate
  /** Names document i as the caller knows it, for messages. */
  nameOf: (index: number) => string
  signal?: AbortSignal | undefined
}

/** Documents that are cut at once: their questions to the tokenizer are answered together. */
const AT_ONCE = 64
/** A document of more characters for each token of a passage is not tried as one passage. */
const CHARS_PER_TOKEN_MAX = 8
/** Of a passage's tokens, a title takes at most this part. */
const TITLE_SHARE = 0.5

/**
 * Decides what each document is found by, as a collection wants it: the whole, or passages that the model reads to
 * their ends. A document that fits into one passage is one.
 *
 * @returns index i for document i: the plan, or why there is none (TOO_LARGE, or TEXT_TOO_LONG for a title that would be
 *   cut where `truncate` is `error`)
 * @throws ServiceError ABORTED, UNAVAILABLE
 */
export async function planPassages(
  { encoder, limits }: Pick<Retrieval, 'encoder' | 'limits'>,
  documents: readonly CheckedDocument[],
  chunking: Chunking,
  { truncate, nameOf, signal }: PlanOptions,
): Promise<(PlannedDocument | ServiceError)[]> {
  if (chunking.kind === 'whole')
    return documents.map((document) => ({ ...asWhole(document), mayBeCut: true }))
  const most = Math.min(chunking.tokens, encoder.card.bodyTokens.ebae)
  const abort = signal && AbortSignal.any([signal])
  // All documents that are cut at once wait on it.
  if (abort) setMaxListeners(2 * AT_ONCE, abort)
  const count: CountTokens = (texts) => encoder.countTokens(texts, abort ? { signal: abort } : {})
  const fits = await whichFit(documents, { ...chunking, tokens: most }, count)

  const plan = async (i: number): Promise<PlannedDocument> => {
    const document = documents[i]!
    const title = chunking.title ? document.title : null
    if (fits[i]) return { ...asWhole(document), title }
    const { passagesPerDocumentMax: passagesMax } = limits
    const titleMost = Math.floor(most * TITLE_SHARE)
    const { text: before, tokens } = await shortTitle(title, titleMost, count)
    const titleCut = before !== title
    if (titleCut && truncate === 'error') throw tooLong(`${nameOf(i)}.title`, titleMost)
    const spans = await cutText(document.text, count, {
      passagesMax,
      field: `${nameOf(i)}.text`,
      tokens: most - tokens,
      overlap: Math.min(chunking.overlap, most - tokens),
    })
    const visible = spans.filter(({ start, end }) => !isBlank(document.text.slice(start, end)))
    return { document, spans: visible, title: before, titleCut, mayBeCut: false }
  }
  const plans: (PlannedDocument | ServiceError)[] = []
  for (let start = 0; start < documents.length; start += AT_ONCE) {
    const part = documents.slice(start, start + AT_ONCE)
    const planned = part.map((_, i) => plan(start + i).catch(ownFault))
    plans.push(...(await Promise.all(planned)))
  }
  return plans
}

export function asWhole(document: CheckedDocument): PlannedDocument {
  const spans = [{ start: 0, end: document.text.length }]
  return { document, spans, title: document.title, titleCut: false, mayBeCut: false }
}

/** Whether each document, its title included, fits into one passage. */
async function whichFit(
  documents: readonly CheckedDocument[],
  { tokens, title }: Extract<Chunking, { kind: 'passages' }>,
  count: CountTokens,
): Promise<boolean[]> {
  const texts = documents.map((document) => (title ? passageText(document) : document.text))
  const short = texts.filter((text) => text.length <= tokens * CHARS_PER_TOKEN_MAX)
  const counts = short.length > 0 ? await count(short) : []
  let next = 0
  return texts.map((text) => text.length <= tokens * CHARS_PER_TOKEN_MAX && counts[next++]! <= tokens)
}

/** A title of at most `most` tokens: all of it, or its beginning. */
async function shortTitle(title: string | null, most: number, count: CountTokens) {
  if (title === null) return { text: null, tokens: 0 }
  const beginning = wellFormed(title.slice(0, most * 2 * CHARS_PER_TOKEN_MAX))
  const [tokens] = await count([beginning])
  if (beginning === title && tokens! <= most) return { text: title, tokens: tokens! }
  const options = { tokens: most, overlap: 0, passagesMax: beginning.length, field: 'title' }
  const [first] = await cutText(beginning, count, options)
  const text = first ? title.slice(first.start, first.end) : null
  return { text, tokens: text === null ? 0 : (await count([text]))[0]! }
}

/** Without half a surrogate pair at its end. */
function wellFormed(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text
}

/** What one document is to blame for is said of it alone. @throws whatever else it is */
function ownFault(error: unknown): ServiceError {
  if (error instanceof ServiceError && isOwnFault(error)) return error
  throw error
}
