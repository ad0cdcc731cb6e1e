import { Type } from 'typebox'
import type { CollectionSettings } from '../../../index/collection-settings.ts'
import type { Excerpt } from '../../../index/document-index.ts'
import type { ExcerptsWanted } from '../../../retrieval/search/excerpts.ts'

/** Passages of one document in an answer. */
const PASSAGES_MAX = 20

export const PassagesField = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: PASSAGES_MAX,
    description:
      'Give the best passages of each document, at most so many, by their vectors: modes dense and hybrid. `k` counts documents all the same.',
  }),
)

const place = {
  start: Type.Integer({ description: 'Where it begins in the text, in code points (as Python counts).' }),
  end: Type.Integer({ description: 'Where it ends, in code points: the first one behind it.' }),
  start_utf16: Type.Integer({ description: '`start` in UTF-16 code units (as JavaScript counts).' }),
  end_utf16: Type.Integer({ description: '`end` in UTF-16 code units.' }),
  text: Type.String(),
}

/** Of a hit. */
export const PassageFields = {
  passage: Type.Optional(
    Type.Object(place, {
      description:
        'With `passage` in `include`, which is the default where a collection cuts its documents: the passage that the document was found by. A document that fits into one passage is one.',
    }),
  ),
  passages: Type.Optional(
    Type.Array(Type.Object({ ...place, score: Type.Number({ description: 'Cosine similarity.' }) }), {
      description: 'With `passages`: the best ones, best first.',
    }),
  ),
}

/** What is wanted of passages; undefined where nothing is. */
export function excerptsWanted(
  { include, passages = 0 }: { include?: readonly string[] | undefined; passages?: number | undefined },
  { chunking }: CollectionSettings,
): (ExcerptsWanted & { shown: boolean }) | undefined {
  const shown = include ? include.includes('passage') : chunking.kind === 'passages'
  return shown || passages > 0 ? { passages, shown } : undefined
}

export function passagesOf(
  { excerpt, excerpts }: { excerpt?: Excerpt; excerpts?: Excerpt[] },
  shown: boolean,
) {
  return {
    ...(shown && excerpt && { passage: passageOf(excerpt) }),
    ...(excerpts && { passages: excerpts.map((each) => ({ ...passageOf(each), score: each.score! })) }),
  }
}

function passageOf({ start, end, codePoints, text }: Excerpt) {
  return { ...codePoints, start_utf16: start, end_utf16: end, text }
}
