import { ServiceError } from '../../errors.ts'
import type { Reranker } from '../../reranker/reranker.ts'
import type { Retrieval } from '../retrieval.ts'

/**
 * The reranker of the service.
 *
 * @param model the id that a request names, if it does
 * @throws ServiceError NO_RERANKER where the service runs none, NOT_FOUND where it runs another
 */
export function rerankerOf({ reranker }: Retrieval, model: string | undefined, field = 'model'): Reranker {
  if (!reranker) {
    const message = 'This service runs no reranker; set RERANKER to a model of that kind and restart it.'
    throw new ServiceError('NO_RERANKER', message)
  }
  const { id } = reranker.card
  if (model === undefined || model === id) return reranker
  throw new ServiceError('NOT_FOUND', `The reranker of this service is ${id}; name it, or no model.`, {
    field,
  })
}
