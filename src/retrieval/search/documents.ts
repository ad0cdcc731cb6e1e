import { ServiceError } from '../../errors.ts'
import type { DocumentPart } from '../../index/document.ts'
import type { DocumentIndex, GetOptions } from '../../index/document-index.ts'

interface Candidate {
  id: string
}

type WithDocument<C> = C & { document?: Omit<DocumentPart, 'id'> }

/**
 * The first k candidates of each list, with their documents, all of them read in one call. A candidate whose document
 * was deleted meanwhile, or is damaged, makes room for the next one.
 * @throws ServiceError TOO_LARGE (more text than an answer may hold), and what the index throws
 */
export async function withDocuments<C extends Candidate>(
  index: DocumentIndex,
  lists: readonly (readonly C[])[],
  k: number,
  options: GetOptions,
): Promise<WithDocument<C>[][]> {
  const known = new Map<string, DocumentPart | undefined>()
  for (;;) {
    const best = lists.map((list) => list.filter(({ id }) => !known.has(id) || known.get(id)).slice(0, k))
    const unread = new Set(best.flatMap((list) => list.map(({ id }) => id)).filter((id) => !known.has(id)))
    if (unread.size === 0) return best.map((list) => list.map((hit) => attach(hit, known.get(hit.id)!)))
    const ids = [...unread]
    for (const [i, document] of (await read(index, ids, options)).entries()) known.set(ids[i]!, document)
  }
}

function attach<C extends Candidate>(hit: C, { id: _, ...document }: DocumentPart): WithDocument<C> {
  return { ...hit, document }
}

/** Undefined where a document is gone or damaged. */
async function read(
  index: DocumentIndex,
  ids: readonly string[],
  options: GetOptions,
): Promise<(DocumentPart | undefined)[]> {
  try {
    return await index.get(ids, options)
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'DOCUMENT_DAMAGED') throw error
    if (ids.length === 1) return [undefined]
  }
  // One of them is damaged, which was not known when it was found: halves show which.
  const half = ids.length >> 1
  const before = await read(index, ids.slice(0, half), options)
  return [...before, ...(await read(index, ids.slice(half), options))]
}
