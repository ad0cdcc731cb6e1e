import { type Static, Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { SEARCH_MODES } from '../../../index/collection-settings.ts'
import { FUSION_DEFAULT, type Fusion, RRF_K, WEIGHT } from '../../../retrieval/fuse/fuse.ts'
import { oneOf } from '../../wire/schemas.ts'

export const ModeSchema = oneOf([...SEARCH_MODES], {
  description:
    "`dense`: by vectors. `lexical`: by words, BM25. `hybrid`: by both. Default: the collection's; always `dense` with `vector` and `like`, which have no words.",
})

/** How the legs of a hybrid search become one list. */
export const FusionSchema = Type.Object(
  {
    method: oneOf(['zscore', 'weighted', 'rrf'], {
      description:
        "`zscore`: the weighted sum of the legs' scores, each in standard deviations over the candidates of the query. `weighted`: the same, each brought to 0 to 1 (min-max). `rrf`: reciprocal rank fusion, the sum of 1 / (k + rank).",
    }),
    weight: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: `Of the dense leg, with zscore and weighted; the lexical one has the rest. Default ${WEIGHT}.`,
      }),
    ),
    k: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 1_000_000,
        description: `Of rrf: how little the first ranks stand out. Default ${RRF_K}.`,
      }),
    ),
  },
  {
    additionalProperties: false,
    description: `How mode hybrid makes one list of two. Default: ${FUSION_DEFAULT.method}.`,
    examples: [{ method: 'zscore', weight: 0.6 }, { method: 'rrf' }],
  },
)

/** @throws ServiceError INVALID_INPUT where a method is given what belongs to another */
export function fusionOf({ method, k, weight }: Static<typeof FusionSchema>): Fusion {
  const foreign = method === 'rrf' ? weight !== undefined && 'weight' : k !== undefined && 'k'
  if (foreign) {
    const message = `${method} has no ${foreign}; leave it out, or choose another method.`
    throw new ServiceError('INVALID_INPUT', message, { field: `fusion.${foreign}` })
  }
  return method === 'rrf' ? { method, k: k ?? RRF_K } : { method, weight: weight ?? WEIGHT }
}

const Place = Type.Object({
  rank: Type.Integer({ description: 'From 1.' }),
  score: Type.Number({ description: 'Cosine similarity, or BM25.' }),
})

export const LegsSchema = Type.Object(
  { dense: Type.Optional(Place), lexical: Type.Optional(Place) },
  {
    description: 'With mode hybrid: where each leg put the document; a leg that did not bring it is absent.',
  },
)
