import { parts } from '../../chunking/cut-text.ts'
import type { Truncate } from '../../encoder/encoder.ts'
import type { IndexedDocument, Passage, Span } from '../../index/document.ts'
import type { EncodeTexts } from './encode-texts.ts'
import { passageText } from './passage-text.ts'
import type { PlannedDocument } from './plan.ts'

/** A document with its vectors, and what came of it. */
export interface EmbeddedDocument {
  indexed: IndexedDocument
  /** Tokens that the model read for it, prompts included. */
  tokens: number
  /** Whether something of it is in no vector. */
  truncated: boolean
  /** Whether most of its passages are mostly unknown tokens. */
  mostlyUnknown: boolean
}

interface Row {
  /** Of its document. */
  index: number
  span: Span
}

interface EmbeddedRow extends Row {
  passage: Passage
  truncated: boolean
  mostlyUnknown: boolean
}

/**
 * Embeds every passage. One that was counted a few tokens too short, so that the model would cut it, is halved and
 * embedded again: nothing of a passage is lost.
 *
 * @param truncate for documents that are one vector as a whole
 * @returns index i for document i
 * @throws whatever `encode` throws
 */
export async function embedPlanned(
  planned: readonly PlannedDocument[],
  encode: EncodeTexts,
  truncate: Truncate,
): Promise<EmbeddedDocument[]> {
  const tokens = new Float64Array(planned.length)
  const embedded: EmbeddedRow[][] = planned.map(asBrought)
  let rows: Row[] = planned.flatMap(({ spans, vector }, index) =>
    vector ? [] : spans.map((span) => ({ index, span })),
  )
  const onCut = planned.every(({ mayBeCut }) => mayBeCut) ? truncate : 'end'
  while (rows.length > 0) {
    const result = await encode(
      rows.map((row) => textOf(planned[row.index]!, row.span)),
      onCut,
    )
    const again: Row[] = []
    for (const [i, row] of rows.entries()) {
      tokens[row.index]! += result.tokens[i]!
      const truncated = result.truncated[i] === 1
      const smaller = truncated ? partsOf(planned[row.index]!, row.span) : []
      if (smaller.length > 1) again.push(...smaller.map((span) => ({ index: row.index, span })))
      else {
        const passage = { span: row.span, vector: result.vectors.ebae[i]! }
        embedded[row.index]!.push({
          ...row,
          passage,
          truncated,
          mostlyUnknown: result.mostlyUnknown[i] === 1,
        })
      }
    }
    rows = again
  }
  return planned.map((plan, index) => documentOf(plan, embedded[index]!, tokens[index]!))
}

/** What needs no embedding, because its vector is there. */
function asBrought({ spans, vector }: PlannedDocument, index: number): EmbeddedRow[] {
  const [span] = spans
  if (!vector || !span) return []
  return [{ index, span, passage: { span, vector }, truncated: false, mostlyUnknown: false }]
}

function textOf({ document, title }: PlannedDocument, { start, end }: Span): string {
  return passageText({ title, text: document.text.slice(start, end) })
}

/** Where the whole document is to be one vector, its end may be lost. */
function partsOf({ document, mayBeCut }: PlannedDocument, span: Span): Span[] {
  return mayBeCut ? [] : parts(document.text, span)
}

function documentOf(
  { document, titleCut }: PlannedDocument,
  rows: readonly EmbeddedRow[],
  tokens: number,
): EmbeddedDocument {
  const unknown = rows.filter(({ mostlyUnknown }) => mostlyUnknown).length
  const passages = rows.map(({ passage }) => passage).sort((a, b) => a.span.start - b.span.start)
  return {
    indexed: { document, passages },
    tokens,
    truncated: titleCut || rows.some(({ truncated }) => truncated),
    mostlyUnknown: unknown * 2 > rows.length,
  }
}
