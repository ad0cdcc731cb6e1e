import { type Static, Type } from 'typebox'
import type { DocumentIndex } from '../../../index/document-index.ts'
import type { JsonScalar } from '../../../index/json.ts'
import type { FoundHit, SearchAnswer } from '../../../retrieval/search/search.ts'
import { DocumentFields, oneOf, TimingsSchema } from '../../wire/schemas.ts'
import { warningsSchema } from '../../wire/warnings.ts'
import { FacetsSchema } from '../metadata/facets.ts'
import { HitVectorSchema, type VectorWish, vectorsOf } from '../vectors/stored-vectors.ts'
import { LegsSchema, ModeSchema } from './fusion.ts'
import { HighlightsSchema, highlightsOf } from './highlights.ts'
import { PassageFields, passagesOf } from './passages.ts'
import { RerankedSchema, RerankReportSchema } from './rerank.ts'

const { id, text, title, metadata } = DocumentFields
const Result = Type.Object({
  id,
  score: Type.Number({
    description:
      'Larger is better. Mode dense: cosine similarity in [-1, 1]. Lexical: BM25, above 0. Hybrid: what `fusion` makes of both. The last two order one answer and mean nothing beyond it.',
  }),
  group: Type.Optional(
    Type.Unsafe<JsonScalar>({
      type: ['string', 'number', 'boolean', 'null'],
      description: 'With `group_by`: the value of the field; absent where the document has none.',
    }),
  ),
  legs: Type.Optional(LegsSchema),
  rerank: Type.Optional(RerankedSchema),
  title: Type.Optional(title),
  text: Type.Optional(text),
  metadata: Type.Optional(metadata),
  highlights: Type.Optional(HighlightsSchema),
  ...PassageFields,
  vector: HitVectorSchema,
})
const PATHS = ['hnsw', 'pruned', 'exact'] as const
const PathOrNull = Type.Unsafe<(typeof PATHS)[number] | null>({
  type: ['string', 'null'],
  enum: [...PATHS, null],
})
const PathSchema = oneOf([...PATHS], {
  description:
    '`exact`: every match was scored. `hnsw`: vectors were found through the HNSW graph. `pruned`, with mode lexical: words that very many documents have were left out, because rarer ones found enough. Of the dense leg with mode hybrid.',
})
const milliseconds = (description: string) => Type.Optional(Type.Number({ description }))
const { total, ...phases } = TimingsSchema.properties
const SearchTimingsSchema = Type.Object(
  {
    ...phases,
    search: milliseconds(
      'What was not a model: both legs, as far as they ran after it, and all that follows.',
    ),
    dense: milliseconds('Searching the index by vectors.'),
    lexical: milliseconds('Searching the index by words, while the model makes the vectors.'),
    fusion: milliseconds('Making one list of two.'),
    rerank: milliseconds('Reranking, with the reading of texts for it.'),
    documents: milliseconds('Reading the documents of a list that was fused or reranked.'),
    total,
  },
  { description: 'Wall-clock milliseconds of each phase; the two legs run at once.' },
)
type Slot = Static<typeof Result>[] | { error: { code: string; detail: string } }
const Slot = Type.Unsafe<Slot>({
  type: ['array', 'object'],
  items: Result,
  required: ['error'],
  properties: {
    error: Type.Object({
      code: Type.String({ description: 'Stable, for programs.', examples: ['INVALID_INPUT'] }),
      detail: Type.String({ description: 'For people.' }),
    }),
  },
})

/** What a search is answered with. */
export const SearchReply = Type.Object({
  results: Type.Optional(Type.Array(Result, { description: 'Best first.' })),
  batches: Type.Optional(
    Type.Array(Slot, {
      description:
        'With `queries`: the results of each query, or why it has none; the others are answered all the same.',
    }),
  ),
  mode: ModeSchema,
  rerank: Type.Optional(RerankReportSchema),
  path: PathSchema,
  paths: Type.Optional(
    Type.Array(PathOrNull, {
      description: 'With `queries`: the path of each query; null for one that could not be asked.',
    }),
  ),
  facets: FacetsSchema,
  truncated: Type.Optional(
    Type.Array(Type.Integer(), {
      description:
        'Indexes of the queries that were longer than the model reads and were cut; absent when none was.',
    }),
  ),
  warnings: warningsSchema({ index: Type.Integer({ description: 'Of the query; 0 with `query`.' }) }),
  timings_ms: SearchTimingsSchema,
})

type HitVectors = Awaited<ReturnType<typeof hitVectors>>

/** Vectors of all that was found, by document. @throws ServiceError TOO_LARGE (`answerVectorNumbersMax`) */
export function hitVectors(index: DocumentIndex, { batches }: SearchAnswer, wish: VectorWish) {
  const ids = new Set(batches.flatMap(({ hits }) => hits.map(({ id }) => id)))
  return vectorsOf(index, [...ids], wish)
}

/**
 * The hits of each target, as the answer lists them.
 * @param many whether there were several queries
 * @param passage whether each shows the passage that it was found by
 * @param vectors of the hits' documents, where they are wanted
 */
export function listsOf(
  { batches, mode }: SearchAnswer,
  { many, passage }: { many: boolean; passage: boolean },
  vectors?: HitVectors,
) {
  const lists = batches.map(({ hits }) =>
    hits.map((hit) => {
      const vector = vectors?.get(hit.id)?.[hit.passage.ordinal]
      return { ...resultOf(hit), ...passagesOf(hit, passage), ...(vector !== undefined && { vector }) }
    }),
  )
  const slots = lists.map((list, i): Slot => {
    const { error } = batches[i]!
    return error ? { error: { code: error.code, detail: error.message } } : list
  })
  // Whatever an engine calls its approximate way, here it has one name for each leg.
  const approximate = mode === 'lexical' ? 'pruned' : 'hnsw'
  const paths = batches.map(({ path, error }) => (error ? null : path === 'exact' ? path : approximate))
  const path = paths.includes(approximate) ? approximate : 'exact'
  return many ? { batches: slots, path, paths } : { results: lists[0] ?? [], path }
}

function resultOf({ id, score, group, legs, rerank, highlights, document = {} }: FoundHit) {
  const { title, text, metadata } = document
  return {
    id,
    score,
    ...(group !== undefined && { group }),
    ...(legs && { legs }),
    ...(rerank && { rerank: { score: rerank.score, former_rank: rerank.formerRank } }),
    ...(title !== undefined && { title }),
    ...(text !== undefined && { text }),
    ...(metadata !== undefined && { metadata }),
    ...(highlights && { highlights: highlightsOf(highlights) }),
  }
}
