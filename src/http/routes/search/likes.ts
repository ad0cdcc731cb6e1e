import { Type } from 'typebox'
import type { MetadataQueryLimits } from '../../../retrieval/limits.ts'
import { type Likes, UNLIKE_WEIGHT } from '../../../retrieval/search/likes.ts'
import { Id } from '../../wire/schemas.ts'

/** How a search names documents to be like. */
export const likeFields = ({ likesMax }: MetadataQueryLimits) => ({
  like: Type.Optional(
    Type.Unsafe<string | string[]>({
      ...Id,
      type: ['string', 'array'],
      minItems: 1,
      maxItems: likesMax,
      items: Id,
      description:
        'Find neighbours of this document, or of several: of the mean of their vectors. They are no results.',
    }),
  ),
  unlike: Type.Optional(
    Type.Array(Id, {
      minItems: 1,
      maxItems: likesMax,
      description: `With \`like\`: documents to keep away from. ${UNLIKE_WEIGHT} of the mean of their vectors is taken off. They are no results.`,
    }),
  ),
})

export function likesOf(like: string | string[], unlike: string[] = []): Likes {
  return { like: [like].flat(), unlike }
}
