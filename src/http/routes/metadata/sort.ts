import { Type } from 'typebox'
import type { WireSortKey } from '../../../retrieval/checks/parse-sort.ts'
import type { MetadataQueryLimits } from '../../../retrieval/limits.ts'

/** How a list is asked to be sorted. */
export const sortField = ({ sortFieldsMax }: MetadataQueryLimits) => ({
  sort: Type.Optional(
    Type.Array(
      Type.Unsafe<WireSortKey>({
        type: ['string', 'object'],
        additionalProperties: false,
        required: ['field'],
        properties: {
          field: { type: 'string' },
          order: { type: 'string', enum: ['asc', 'desc'] },
        },
      }),
      {
        maxItems: sortFieldsMax,
        description:
          'Metadata fields to sort by, `year` or `-year` for the largest first, or `{"field": "year", "order": "desc"}`. Numbers come before strings, strings before false, true and null, the other way round when it descends; documents without the field come last, equal ones in the order of their ids.',
        examples: [['-year', { field: 'author.name', order: 'asc' }]],
      },
    ),
  ),
})
