import { randomUUID } from 'node:crypto'
import { ServiceError } from '../../../errors.ts'
import { checkId } from '../../../retrieval/checks/check-document.ts'
import type { ServiceClient } from '../../service-client.ts'
import type { BeirDocument, BeirSet } from '../judged-set/beir-set.ts'
import { withText } from '../judged-set/corpus-survey.ts'
import type { IngestFigures } from './search-system.ts'

/** Documents and bytes of one NDJSON request: enough for two batches of the service, little to send again. */
const PART_DOCUMENTS = 512
const PART_BYTES = 4 * 1024 * 1024
/** Ids of one deletion, where the service allows as many. */
const REMOVED_AT_ONCE = 500
/** Times a part is sent on from where the service broke off. */
const ATTEMPTS_MAX = 5

/** What marks this run's documents in a service. */
export interface Tag {
  /** Before each of the set's ids; empty where they stay as they are. */
  prefix: string
  metadata: { llara_evaluation: string }
}

export function tagFor({ plainIds }: { plainIds: boolean }): Tag {
  const run = randomUUID()
  return { prefix: plainIds ? '' : `evaluation-${run}/`, metadata: { llara_evaluation: run } }
}

interface Part {
  documents: BeirDocument[]
  lines: string[]
}

interface Stored {
  created: number
  failed: number
  truncated_total: number
  errors: { line: number; detail: string }[]
}

/** Sends documents as NDJSON, a part at a time and in order, so that the graph grows as in one process. */
export async function storeSet(
  client: ServiceClient,
  documents: AsyncIterable<BeirDocument>,
  tag: Tag,
  { signal, onStored }: { signal: AbortSignal; onStored: (done: number) => void },
): Promise<IngestFigures> {
  const figures: IngestFigures = { documents: 0, truncated: 0, refused: 0, firstRefusal: null }
  let done = 0
  for await (const part of parts(documents, tag)) {
    const stored = await sendPart(client, part, signal)
    figures.documents += stored.created
    figures.truncated += stored.truncated_total
    figures.refused += stored.failed
    const [first] = stored.errors
    if (first)
      figures.firstRefusal ??= `corpus.jsonl:${part.documents[first.line - 1]?.line}: ${first.detail}`
    done += part.lines.length
    onStored(done)
  }
  return figures
}

async function* parts(documents: AsyncIterable<BeirDocument>, tag: Tag): AsyncGenerator<Part> {
  let part: Part = { documents: [], lines: [] }
  let bytes = 0
  for await (const document of documents) {
    const { id, title, text } = document
    const line = `${JSON.stringify({ id: tag.prefix + id, title, text, metadata: tag.metadata })}\n`
    part.documents.push({ ...document, text: '' })
    part.lines.push(line)
    bytes += line.length
    if (part.lines.length < PART_DOCUMENTS && bytes < PART_BYTES) continue
    yield part
    part = { documents: [], lines: [] }
    bytes = 0
  }
  if (part.lines.length > 0) yield part
}

async function sendPart(client: ServiceClient, { lines }: Part, signal: AbortSignal): Promise<Stored> {
  const sum: Stored = { created: 0, failed: 0, truncated_total: 0, errors: [] }
  let from = 0
  for (let attempt = 1; ; attempt++) {
    try {
      const body = lines.slice(from).join('')
      const sent = { method: 'POST', path: '/documents?truncate=end', type: 'application/x-ndjson' } as const
      const stored = await client.send<Stored>({ ...sent, body, signal })
      sum.errors.push(...stored.errors.map((error) => ({ ...error, line: error.line + from })))
      sum.created += stored.created
      sum.failed += stored.failed
      sum.truncated_total += stored.truncated_total
      return sum
    } catch (error) {
      if (!(error instanceof ServiceError) || attempt === ATTEMPTS_MAX) throw error
      const { committed_lines, created = 0, failed = 0 } = error.details
      if (typeof committed_lines !== 'number' || error.code !== 'OVERLOADED') throw error
      from += committed_lines
      sum.created += Number(created)
      sum.failed += Number(failed)
    }
  }
}

/**
 * Removes what `storeSet` stored, by the ids it used, reading the corpus once more. Other documents stay.
 * @returns how many were there and are gone
 */
export async function removeSet(client: ServiceClient, set: BeirSet, tag: Tag): Promise<number> {
  type Info = { limits: { documents: number } }
  const { limits } = await client.send<Info>({ method: 'GET', path: '/info' })
  const atOnce = Math.min(REMOVED_AT_ONCE, limits.documents)
  let removed = 0
  let ids: string[] = []
  const remove = async (target: { ids: string[] } | { filter: Tag['metadata'] }) => {
    const body = JSON.stringify(target)
    removed += (await client.send<{ removed: number }>({ method: 'POST', path: '/documents/delete', body }))
      .removed
    ids = []
  }
  for await (const { id } of withText(set)) {
    if (isPossibleId(tag.prefix + id)) ids.push(tag.prefix + id)
    if (ids.length === atOnce) await remove({ ids })
  }
  if (ids.length > 0) await remove({ ids })
  // A batch that was on its way when the run was stopped may have been stored meanwhile.
  await remove({ filter: tag.metadata })
  return removed
}

/** What the service refused to store, it refuses to remove. */
function isPossibleId(id: string): boolean {
  try {
    checkId(id, 'id')
    return true
  } catch {
    return false
  }
}
