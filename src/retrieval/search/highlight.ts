import { ServiceError } from '../../errors.ts'
import { type CountedSpan, inCodePoints } from '../../index/code-points.ts'
import type { DocumentField } from '../../index/document.ts'
import type { CallOptions, DocumentIndex, Hit } from '../../index/document-index.ts'
import { turn } from '../../turns.ts'
import { fragmentsOf } from './fragments.ts'

/** Where a query's words stand in a document. */
export interface Highlights {
  title: CountedSpan[]
  text: CountedSpan[]
  /** The parts of the text with most of them, as HTML. */
  fragments: string[]
}

const HIGHLIGHTED = ['title', 'text'] as const

type Shown = Pick<Hit, 'document'>
interface Marked {
  highlights: Highlights
}
type Options = CallOptions & { fields?: readonly DocumentField[] }

/**
 * Checks that there are words to be found; the step itself then says where each query's words stand in its hits, however
 * those were found.
 *
 * @returns the options that read what is highlighted, and the step; fields that were not asked for are left out again
 * @throws ServiceError INVALID_INPUT
 */
export function highlightStep<O extends Options>(index: DocumentIndex, terms: readonly string[], options: O) {
  check(terms, index)
  const { fields } = options
  return {
    options: fields ? { ...options, fields: [...new Set([...fields, ...HIGHLIGHTED])] } : options,
    mark: <H extends Shown>(lists: readonly (readonly H[])[]): Promise<(H & Marked)[][]> =>
      Promise.all(lists.map((hits, i) => highlighted(index, terms[i]!, hits, options))),
  }
}

function check(terms: readonly string[], { capabilities }: DocumentIndex): void {
  const refused = (message: string) => new ServiceError('INVALID_INPUT', message, { field: 'highlight' })
  if (terms.length === 0) {
    throw refused('highlight marks the words of query and queries; leave it out with vector and like.')
  }
  if (!capabilities.lexical) throw refused('This collection does not know words; leave highlight out.')
}

async function highlighted<H extends Shown>(
  index: DocumentIndex,
  terms: string,
  hits: readonly H[],
  { fields, signal }: Options,
): Promise<(H & Marked)[]> {
  const asked = (name: string) => !fields || fields.includes(name as DocumentField)
  const texts = hits.flatMap(({ document }) => HIGHLIGHTED.map((field) => document?.[field] ?? ''))
  const spans = await index.highlight(terms, texts, { signal })
  const shown: (H & Marked)[] = []
  for (const [h, hit] of hits.entries()) {
    await turn()
    const [title, text] = HIGHLIGHTED.map((_, f) => inCodePoints(texts[2 * h + f]!, spans[2 * h + f]!))
    const fragments = fragmentsOf(texts[2 * h + 1]!, spans[2 * h + 1]!)
    const kept = Object.fromEntries(Object.entries(hit.document ?? {}).filter(([name]) => asked(name)))
    shown.push({ ...hit, document: kept, highlights: { title: title!, text: text!, fragments } })
  }
  return shown
}
