import { Type } from 'typebox'
import type { Hit } from '../../../index/document-index.ts'
import type { SearchAnswer } from '../../../retrieval/search.ts'
import { DocumentFields, oneOf, TimingsSchema } from '../../wire/schemas.ts'
import { warningsSchema } from '../../wire/warnings.ts'
import { FacetsSchema } from '../metadata/facets.ts'

const { id, text, title, metadata } = DocumentFields
const Result = Type.Object({
  id,
  score: Type.Number({ description: 'Cosine similarity in [-1, 1]; larger is better.' }),
  title: Type.Optional(title),
  text: Type.Optional(text),
  metadata: Type.Optional(metadata),
})
const PathSchema = oneOf(['hnsw', 'exact'], {
  description: '`hnsw`: found through the HNSW graph. `exact`: every match was scored.',
})
/** What a search is answered with. */
export const SearchReply = Type.Object({
  results: Type.Optional(Type.Array(Result, { description: 'Best first.' })),
  batches: Type.Optional(
    Type.Array(Type.Array(Result), { description: 'With `queries`: the results of each query.' }),
  ),
  path: PathSchema,
  paths: Type.Optional(Type.Array(PathSchema, { description: 'With `queries`: the path of each query.' })),
  facets: FacetsSchema,
  truncated: Type.Optional(
    Type.Array(Type.Integer(), {
      description:
        'Indexes of the queries that were longer than the model reads and were cut; absent when none was.',
    }),
  ),
  warnings: warningsSchema({ index: Type.Integer({ description: 'Of the query; 0 with `query`.' }) }),
  timings_ms: TimingsSchema,
})

/** The hits of each target, as the answer lists them. @param many whether there were several queries */
export function listsOf({ batches }: SearchAnswer, many: boolean) {
  const lists = batches.map(({ hits }) => hits.map(resultOf))
  // Whatever an engine calls its approximate way, here it is the graph's.
  const paths = batches.map(({ path }) => (path === 'exact' ? 'exact' : 'hnsw'))
  const path = paths.includes('hnsw') ? 'hnsw' : 'exact'
  return many ? { batches: lists, path, paths } : { results: lists[0] ?? [], path }
}

function resultOf({ id, score, document = {} }: Hit) {
  const { title, text, metadata } = document
  return {
    id,
    score,
    ...(title !== undefined && { title }),
    ...(text !== undefined && { text }),
    ...(metadata !== undefined && { metadata }),
  }
}
