import { type Static, Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { MetadataQueryLimits, RerankLimits } from '../../../retrieval/limits.ts'
import type { Target } from '../../../retrieval/search/target.ts'
import type { HttpLimits } from '../../limits.ts'
import { FilterSchema, oneOf, SearchInclude } from '../../wire/schemas.ts'
import { facetFields } from '../metadata/facets.ts'
import { FormatField } from '../vectors/stored-vectors.ts'
import { FusionSchema, ModeSchema } from './fusion.ts'
import { HighlightSchema } from './highlights.ts'
import { likeFields, likesOf } from './likes.ts'
import { K_DEFAULT, pageFields } from './pages.ts'
import { PassagesField } from './passages.ts'
import { rerankWishSchema } from './rerank.ts'

/** What a search may ask for. */
export const searchBody = ({
  queriesPerRequestMax,
  kMax,
  efMax,
  ...limits
}: HttpLimits & MetadataQueryLimits & RerankLimits) =>
  Type.Object(
    {
      query: Type.Optional(
        Type.String({ description: 'One question or keyword text.', examples: ['why is the sky blue'] }),
      ),
      queries: Type.Optional(
        Type.Array(Type.String(), {
          minItems: 1,
          maxItems: queriesPerRequestMax,
          description: 'Several queries at once; results come under `batches`.',
        }),
      ),
      vector: Type.Optional(
        Type.Array(Type.Number(), {
          maxItems: 65_536,
          description:
            'A vector of the collection: of its model, or your own. It is normalised to unit length.',
        }),
      ),
      ...likeFields(limits),
      task: Type.Optional(
        oneOf(['retrieval', 'similarity'], {
          description:
            '`retrieval` (default): the query is a question (EBAR prompt). `similarity`: find texts that say the same (EBAE prompt on both sides).',
        }),
      ),
      k: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: kMax,
          description: `How many results to return. Default ${K_DEFAULT}.`,
        }),
      ),
      filter: Type.Optional(FilterSchema),
      mode: Type.Optional(ModeSchema),
      fusion: Type.Optional(FusionSchema),
      rerank: Type.Optional(rerankWishSchema(limits)),
      min_score: Type.Optional(
        Type.Number({
          description:
            'Return only results with at least this score: a cosine similarity from -1 to 1 with mode dense, a BM25 score of 0 or more with mode lexical. Mode hybrid refuses it: its scores mean nothing beyond one answer.',
        }),
      ),
      include: Type.Optional(SearchInclude),
      highlight: Type.Optional(HighlightSchema),
      passages: PassagesField,
      encoding_format: FormatField,
      ...pageFields(limits),
      ...facetFields(limits),
      ef: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: efMax,
          description:
            'Candidates kept while the HNSW graph is searched: larger is slower and has better recall. Lexical search has no graph.',
        }),
      ),
      exact: Type.Optional(
        Type.Boolean({ description: 'Score every matching document instead of using the HNSW graph.' }),
      ),
    },
    {
      additionalProperties: false,
      description: 'Exactly one of `query`, `queries`, `vector`, `like`.',
      examples: [
        { query: 'why is the sky blue', k: 5, filter: { year: { $gte: 2020 } } },
        { query: 'error E1042 after start', mode: 'hybrid' },
        { query: 'why is the sky blue', k: 5, rerank: { top_n: 50 } },
        { like: ['astro-17', 'astro-20'], unlike: ['bio-3'], k: 5 },
      ],
    },
  )

export type SearchBody = Static<ReturnType<typeof searchBody>>

/** @throws ServiceError INVALID_INPUT unless the body names exactly one target */
export function targetOf({ query, queries, vector, like, unlike, task }: SearchBody): Target {
  const targets: Target[] = []
  const kind = task ?? 'retrieval'
  if (query !== undefined) targets.push({ kind: 'texts', texts: [query], task: kind, field: 'query' })
  if (queries !== undefined) targets.push({ kind: 'texts', texts: queries, task: kind, field: 'queries' })
  if (vector !== undefined) targets.push({ kind: 'vector', vector })
  if (like !== undefined) targets.push({ kind: 'like', ...likesOf(like, unlike) })
  const [target] = targets
  if (!target || targets.length > 1) {
    throw new ServiceError('INVALID_INPUT', 'Give exactly one of query, queries, vector, like.')
  }
  if (unlike !== undefined && target.kind !== 'like') {
    throw new ServiceError('INVALID_INPUT', 'unlike goes with like; leave it out, or give like.', {
      field: 'unlike',
    })
  }
  if (task !== undefined && target.kind !== 'texts') {
    throw new ServiceError(
      'INVALID_INPUT',
      'task applies to query and queries only; leave it out with vector and like.',
      {
        field: 'task',
      },
    )
  }
  return target
}
