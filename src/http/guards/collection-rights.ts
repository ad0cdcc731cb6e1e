import type { FastifyRequest } from 'fastify'
import type { Collections } from '../../collections/collections.ts'
import { ServiceError } from '../../errors.ts'
import { DEFAULT_COLLECTION } from '../../index/index-engine.ts'

const limited = new WeakMap<FastifyRequest, ReadonlySet<string>>()

/** Says which collections a request's key is for. */
export function limitReach(request: FastifyRequest, collections: ReadonlySet<string>): void {
  limited.set(request, collections)
}

/** @param collection its own name */
export function mayReach(request: FastifyRequest, collection: string): boolean {
  return limited.get(request)?.has(collection) ?? true
}

/**
 * The collection that a request's path names now, by name or by alias, or the default one. A key's rights are on
 * collections and not on aliases, so that an alias gives nobody more.
 *
 * @returns its own name; whether there is one is not said
 * @throws ServiceError FORBIDDEN
 */
export function collectionOf(request: FastifyRequest, collections: Pick<Collections, 'resolve'>): string {
  const { collection = DEFAULT_COLLECTION } = request.params as { collection?: string }
  const name = collections.resolve(collection)
  if (mayReach(request, name)) return name
  // Whether there is such a collection is none of its business.
  throw new ServiceError('FORBIDDEN', 'Your key is for other collections.', { field: 'collection' })
}
