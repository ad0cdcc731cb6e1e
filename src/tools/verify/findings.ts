import type { Inspection } from '../../index/embedded/integrity/inspect.ts'

/** What was found, as lines for people: the state of the whole first, then each fault. */
export function findings(inspection: Inspection): string[] {
  const { format, structure, rows, graph, missingCommits, lostBefore } = inspection
  const lines = [
    rows
      ? `${rows.documents} documents in ${rows.passages} passages are whole, ${rows.lost.length} are damaged.`
      : `in format ${format}, which has no checksums: only the pages were checked. Start the service once, which converts it.`,
    ...structure.map((complaint) => `pages: ${complaint}`),
  ]
  for (const { id, document, problem } of rows?.lost ?? []) {
    const named = typeof id === 'string' ? `document ${JSON.stringify(id)}` : 'a document whose id is lost'
    lines.push(`${named} (label ${document}) is damaged: ${problem}.`)
  }
  if (rows && rows.misplaced > 0) {
    lines.push(`${rows.misplaced} documents are whole, but not found by their ids or by filters.`)
  }
  if (rows && rows.strayValues > 0)
    lines.push(`filters find ${rows.strayValues} documents that do not exist.`)
  if (graph !== undefined) {
    lines.push(`the saved HNSW graph cannot be used: ${graph}. The next start builds it again.`)
  }
  if (missingCommits > 0) {
    lines.push(
      `${missingCommits} acknowledged writes are missing: the database's log was damaged or removed.`,
    )
  }
  for (const id of lostBefore) {
    lines.push(`document ${JSON.stringify(id)} was lost before and has not been stored again or deleted.`)
  }
  return lines
}
