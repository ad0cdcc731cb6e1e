import { type Static, Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { SEARCH_MODES } from '../../../index/collection-settings.ts'
import { type Fusion, RRF_K } from '../../../retrieval/fuse/fuse.ts'
import { oneOf } from '../../wire/schemas.ts'

export const ModeSchema = oneOf([...SEARCH_MODES], {
  description:
    "`dense`: by vectors. `lexical`: by words, BM25. `hybrid`: by both. Default: the collection's; always `dense` with `vector` and `like`, which have no words.",
})

/** How the legs of a hybrid search become one list. */
export const FusionSchema = Type.Object(
  {
    method: oneOf(['rrf', 'weighted'], {
      description:
        "`rrf`: reciprocal rank fusion, the sum of 1 / (k + rank). `weighted`: the weighted sum of the legs' scores, each brought to 0 to 1 over its candidates.",
    }),
    k: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 1_000_000,
        description: `Of rrf: how little the first ranks stand out. Default ${RRF_K}.`,
      }),
    ),
    weight: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'Of weighted: of the dense leg; the lexical one has the rest. Default 0.5.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: `How mode hybrid makes one list of two. Default: rrf with k ${RRF_K}.`,
    examples: [{ method: 'weighted', weight: 0.6 }],
  },
)

/** @throws ServiceError INVALID_INPUT where a method is given what belongs to another */
export function fusionOf({ method, k, weight }: Static<typeof FusionSchema>): Fusion {
  if (method === 'rrf') {
    if (weight === undefined) return { method, k: k ?? RRF_K }
    throw new ServiceError('INVALID_INPUT', 'rrf has no weight; say method: weighted, or leave weight out.', {
      field: 'fusion.weight',
    })
  }
  if (k === undefined) return { method, weight: weight ?? 0.5 }
  throw new ServiceError('INVALID_INPUT', 'weighted has no k; say method: rrf, or leave k out.', {
    field: 'fusion.k',
  })
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
