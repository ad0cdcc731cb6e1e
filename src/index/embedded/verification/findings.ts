import type { Finding } from '../../verification.ts'
import type { Inspection } from '../integrity/inspect.ts'

/** The state of a collection as a whole, as a line for people. */
export function stateOf({ format, rows }: Inspection): string {
  return rows
    ? `${rows.documents} documents in ${rows.passages} passages are whole, ${rows.lost.length} are damaged.`
    : `in format ${format}, which has no checksums: only the pages were checked. Start the service once, which converts it.`
}

/** What is wrong, each in a sentence. */
export function findingsOf({ structure, rows, graph, missingCommits, lostBefore }: Inspection): Finding[] {
  const findings: Finding[] = structure.map((complaint) => ({ problem: `pages: ${complaint}` }))
  for (const { id, document, problem } of rows?.lost ?? []) {
    const known = typeof id === 'string'
    const named = known ? `document ${JSON.stringify(id)}` : 'a document whose id is lost'
    findings.push({ ...(known && { id }), problem: `${named} (label ${document}) is damaged: ${problem}.` })
  }
  const say = (problem: string) => findings.push({ problem })
  if (rows && rows.misplaced > 0) {
    say(`${rows.misplaced} documents are whole, but not found by their ids or by filters.`)
  }
  if (rows && rows.strayValues > 0) say(`filters find ${rows.strayValues} documents that do not exist.`)
  if (graph !== undefined)
    say(`the saved HNSW graph cannot be used: ${graph}. The next start builds it again.`)
  if (missingCommits > 0) {
    say(`${missingCommits} acknowledged writes are missing: the database's log was damaged or removed.`)
  }
  for (const id of lostBefore) {
    const problem = `document ${JSON.stringify(id)} was lost before and has not been stored again or deleted.`
    findings.push({ id, problem })
  }
  return findings
}
