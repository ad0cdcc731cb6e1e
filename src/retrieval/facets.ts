import type { CallOptions } from '../index/document-index.ts'
import type { Facet, FacetOptions } from '../index/metadata/facets.ts'
import { parsePath } from './checks/parse-path.ts'
import type { Retrieval } from './retrieval.ts'

/**
 * What metadata fields hold, over the documents that match.
 *
 * @param fields as filters name them
 * @throws ServiceError INVALID_INPUT for a name that cannot be one
 */
export async function countFacets(
  { index }: Retrieval,
  fields: readonly string[],
  options: CallOptions & FacetOptions,
): Promise<(Facet & { field: string })[]> {
  const paths = fields.map((field, i) => parsePath(field, `facets[${i}]`))
  const facets = await index.facets(paths, options)
  return facets.map((facet, i) => ({ field: fields[i]!, ...facet }))
}
