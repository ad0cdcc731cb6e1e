import { type ErrorCode, type ServiceError, toServiceError } from '../errors.ts'

/** Codes a batch gets for what one of its documents, or its size, is. */
const OWN_FAULTS: ReadonlySet<ErrorCode> = new Set(['TEXT_TOO_LONG', 'INVALID_INPUT', 'TOO_LARGE'])

/** Whether a failure is for what a document, or the number of them, is. */
export function isOwnFault({ code }: ServiceError): boolean {
  return OWN_FAULTS.has(code)
}

/**
 * Does work on all items at once. Where it is refused for what an item is, halves find out which, and the work is
 * done on the others, in their order.
 *
 * @param refused is given each item that is refused alone
 * @throws ServiceError whatever `work` fails with that no item is to blame for
 */
export async function inHalves<T, R>(
  items: readonly T[],
  work: (part: readonly T[]) => Promise<R>,
  refused: (item: T, error: ServiceError) => void,
): Promise<R[]> {
  const [first] = items
  if (first === undefined) return []
  try {
    return [await work(items)]
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (!isOwnFault(error)) throw error
    if (items.length === 1) {
      refused(first, error)
      return []
    }
  }
  const half = items.length >> 1
  const before = await inHalves(items.slice(0, half), work, refused)
  return [...before, ...(await inHalves(items.slice(half), work, refused))]
}
