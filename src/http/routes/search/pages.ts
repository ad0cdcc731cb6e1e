import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { parsePath } from '../../../retrieval/checks/parse-path.ts'
import type { MetadataQueryLimits } from '../../../retrieval/limits.ts'
import type { SearchRequest } from '../../../retrieval/search/search.ts'

/** Results of a search that does not say how many. */
export const K_DEFAULT = 10

/** Which part of all results a search gives, and how they are grouped. */
export const pageFields = ({ offsetMax, groupsMax, groupSizeMax }: MetadataQueryLimits) => ({
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: offsetMax,
      description:
        'Results (with `group_by`: groups) to leave out before the first one. Where it is given, 0 too, every match is scored, so that pages fit each other.',
    }),
  ),
  group_by: Type.Optional(
    Type.String({
      description: `A metadata field: at most \`group_size\` results have the same value of it, and \`k\` counts groups, at most ${groupsMax}. Results come group by group, in the order of their best ones. A document without the field is a group of its own; one with a list belongs to its smallest value.`,
      examples: ['author'],
    }),
  ),
  group_size: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: groupSizeMax,
      description: 'Most results of each group. Default 1.',
    }),
  ),
})

interface PageRequest {
  k?: number | undefined
  offset?: number | undefined
  group_by?: string | undefined
  group_size?: number | undefined
}

/** @throws ServiceError INVALID_INPUT, TOO_LARGE */
export function pageOf(
  { k = K_DEFAULT, offset, group_by: groupBy, group_size: size }: PageRequest,
  { groupsMax }: MetadataQueryLimits,
): Pick<SearchRequest, 'k' | 'offset' | 'group'> {
  const page = { k, ...(offset !== undefined && { offset }) }
  if (groupBy === undefined) {
    if (size === undefined) return page
    throw new ServiceError(
      'INVALID_INPUT',
      'group_size goes with group_by; leave it out, or give group_by.',
      {
        field: 'group_size',
      },
    )
  }
  if ((offset ?? 0) + k > groupsMax) {
    const message = `offset and k ask for more than ${groupsMax} groups (GROUPS_MAX).`
    throw new ServiceError('TOO_LARGE', message, { field: 'k', limit: groupsMax })
  }
  return { ...page, group: { path: parsePath(groupBy, 'group_by'), size: size ?? 1 } }
}
