import { Type } from 'typebox'
import type { CountedSpan } from '../../../index/code-points.ts'
import type { Highlights } from '../../../retrieval/search/highlight.ts'

export const HighlightSchema = Type.Boolean({
  description:
    "Say where the query's words stand in each hit, in whatever form the collection's analysis takes for the same word, and however the hit was found. For `query` and `queries`.",
})

const Spans = Type.Array(
  Type.Object({
    start: Type.Integer({ description: 'In code points, as Python counts.' }),
    end: Type.Integer({ description: 'Behind the last one.' }),
    start_utf16: Type.Integer({ description: 'In UTF-16 code units, as JavaScript and Java count.' }),
    end_utf16: Type.Integer(),
  }),
)

export const HighlightsSchema = Type.Object(
  {
    title: Spans,
    text: Spans,
    fragments: Type.Array(Type.String(), {
      description:
        'The parts of the text with most of the words, up to three, as HTML: the words in `<mark>`, all else escaped, `…` where something is left out.',
    }),
  },
  { description: "With `highlight`: where the query's words stand." },
)

export function highlightsOf({ title, text, fragments }: Highlights) {
  return { title: title.map(spanOf), text: text.map(spanOf), fragments }
}

function spanOf({ start, end, startUtf16, endUtf16 }: CountedSpan) {
  return { start, end, start_utf16: startUtf16, end_utf16: endUtf16 }
}
