import type { DocumentField } from '../../document.ts'
import { compareHits } from '../../order.ts'
import type { TimeSlice } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import type { FoundPassage, StoredDocuments } from '../integrity/stored-documents.ts'
import type { Candidate, TopHits } from '../vectors/top-hits.ts'
import type { FoundHit, WireDocument } from '../wire.ts'
import type { ReadBudget } from './read-budget.ts'

export interface ResolveOptions {
  k: number
  fields?: readonly DocumentField[]
  budget: ReadBudget
  /** Whether hits that are gone or damaged may be left out. */
  leaveOut: boolean
  /** The passage that a hit shows; undefined where it is gone or damaged. Default: the candidate's own. */
  passageOf?: (candidate: Candidate, document: WireDocument) => FoundPassage | undefined
}

/**
 * The candidates as hits, in order, cut to k; undefined when one of them is gone or damaged, unless those may be left
 * out.
 *
 * @param slice gives way where there are many: documents may be written meanwhile
 */
export async function resolveHits(
  top: TopHits,
  { rows, stored }: { rows: RowReader; stored: StoredDocuments },
  {
    k,
    fields,
    budget,
    leaveOut,
    passageOf = ({ label, document }) => stored.passage(label, document),
  }: ResolveOptions,
  slice: TimeSlice,
): Promise<FoundHit[] | undefined> {
  let whole = true
  const candidates: (Candidate & { id: string })[] = []
  for (const candidate of top.best()) {
    const id = rows.uncheckedId(candidate.document)
    if (typeof id === 'string') candidates.push({ id, ...candidate })
    // It is not there, or damaged: reading it finds out.
    else whole = stored.byKey(candidate.document) !== undefined && whole
    if (slice.over) await slice.yield()
  }
  const hits: FoundHit[] = []
  for (const candidate of candidates.sort(compareHits)) {
    if (hits.length === k) break
    const document = stored.byKey(candidate.document)
    const passage = document && passageOf(candidate, document)
    if (!document || !passage) {
      whole = false
      continue
    }
    const asked = budget.take(document, fields)
    hits.push({ id: document.id, score: candidate.score, passage, ...(asked && { document: asked }) })
    if (slice.over) await slice.yield()
  }
  return whole || leaveOut ? hits : undefined
}
