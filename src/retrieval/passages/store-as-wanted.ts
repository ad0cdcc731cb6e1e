import { ServiceError } from '../../errors.ts'

/**
 * Stores what was made for a collection's chunking; made and stored again for as long as the index refuses it, because
 * the collection has got another chunking meanwhile.
 */
export async function storeAsWanted<Made, Stored>(
  first: Made,
  makeAgain: () => Promise<Made>,
  store: (made: Made) => Promise<Stored>,
): Promise<Stored> {
  for (let made = first; ; made = await makeAgain()) {
    try {
      return await store(made)
    } catch (error) {
      const refused = error instanceof ServiceError && error.code === 'CONFLICT'
      if (!refused || error.details['field'] !== 'chunking') throw error
    }
  }
}
