import { ServiceError } from '../errors.ts'
import type { Filter } from '../index/filter.ts'
import { checkId } from './checks/check-document.ts'
import type { Retrieval } from './retrieval.ts'

/** Deletes by ids (unknown ones are not an error) or by filter; durable when it resolves. */
export async function remove(
  { store }: Retrieval,
  target: { ids: readonly string[] } | { filter: Filter },
): Promise<{ removed: number }> {
  if ('ids' in target) for (const [index, id] of target.ids.entries()) checkId(id, `ids[${index}]`)
  return store.remove(target)
}

/** @throws ServiceError NOT_FOUND */
export async function removeOne({ store }: Retrieval, id: string): Promise<{ removed: number }> {
  const result = await store.remove({ ids: [id] })
  if (result.removed === 0) throw new ServiceError('NOT_FOUND', 'There is no document with this id.')
  return result
}
