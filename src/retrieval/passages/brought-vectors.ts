import type { ServiceError } from '../../errors.ts'
import type { Chunking } from '../../index/collection-settings.ts'
import type { CheckedDocument } from '../../index/document.ts'
import type { Retrieval } from '../retrieval.ts'
import { asWhole, type PlannedDocument, type PlanOptions, planPassages } from './plan.ts'

/** A document, and the vector that its caller brought with it. */
export interface BroughtDocument {
  document: CheckedDocument
  vector: Float32Array | undefined
}

/**
 * As `planPassages`; a document that comes with a vector is one passage, its whole text, whatever the collection wants, and
 * is not embedded.
 */
export async function planBrought(
  retrieval: Pick<Retrieval, 'encoder' | 'limits'>,
  given: readonly BroughtDocument[],
  chunking: Chunking,
  options: PlanOptions,
): Promise<(PlannedDocument | ServiceError)[]> {
  const bare = given.flatMap(({ vector }, i) => (vector ? [] : [i]))
  const planned = await planPassages(
    retrieval,
    bare.map((i) => given[i]!.document),
    chunking,
    { ...options, nameOf: (i) => options.nameOf(bare[i]!) },
  )
  let next = 0
  return given.map(({ document, vector }) =>
    vector ? { ...asWhole(document), mayBeCut: true, vector } : planned[next++]!,
  )
}
