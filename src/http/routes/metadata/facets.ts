import { Type } from 'typebox'
import type { CallOptions } from '../../../index/document-index.ts'
import type { Filter } from '../../../index/filter.ts'
import type { JsonScalar } from '../../../index/json.ts'
import { countFacets } from '../../../retrieval/facets.ts'
import type { MetadataQueryLimits } from '../../../retrieval/limits.ts'
import type { Retrieval } from '../../../retrieval/retrieval.ts'

/** Values of a field where the request does not say how many. */
const VALUES_DEFAULT = 10

/** How a request asks for facets. */
export const facetFields = ({ facetsMax, facetValuesMax }: MetadataQueryLimits) => ({
  facets: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: facetsMax,
      description:
        'Metadata fields whose values are counted over all documents that match `filter`; dotted paths as in filters.',
      examples: [['year', 'tags']],
    }),
  ),
  facet_values: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: facetValuesMax,
      description: `Most values of each of them. Default ${VALUES_DEFAULT}.`,
    }),
  ),
})

export interface FacetRequest {
  facets?: string[] | undefined
  facet_values?: number | undefined
}

const range = (description: string) =>
  Type.Unsafe<number | string>({ type: ['number', 'string'], description })

const scalar = (description: string) =>
  Type.Unsafe<JsonScalar>({ type: ['string', 'number', 'boolean', 'null'], description })

/** How an answer gives them. */
export const FacetsSchema = Type.Optional(
  Type.Array(
    Type.Object({
      field: Type.String(),
      values: Type.Array(
        Type.Object({
          value: scalar('A string, a number, true, false or null.'),
          count: Type.Integer({
            description: 'Documents that have it; one with a list counts for each of its values.',
          }),
        }),
        { description: 'Most frequent first; equally frequent ones in the order of their values.' },
      ),
      distinct: Type.Integer({ description: 'How many different values there are in all.' }),
      min: Type.Optional(
        range('Smallest number, or earliest date in a field of dates; absent where there are none.'),
      ),
      max: Type.Optional(range('Largest number, or latest date.')),
    }),
    { description: 'With `facets`: what each field holds, over all documents that match the filter.' },
  ),
)

/** The `facets` of an answer; nothing where none were asked for. @throws ServiceError INVALID_INPUT */
export async function facetsOf(
  retrieval: Retrieval,
  { facets, facet_values: limit = VALUES_DEFAULT }: FacetRequest,
  options: CallOptions & { filter?: Filter },
) {
  if (facets === undefined) return {}
  const counted = await countFacets(retrieval, facets, { ...options, limit })
  return { facets: counted.map(({ numbers, dates, ...facet }) => ({ ...facet, ...(dates ?? numbers) })) }
}
