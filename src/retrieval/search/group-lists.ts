import type { DocumentIndex } from '../../index/document-index.ts'
import type { Filter } from '../../index/filter.ts'
import { dateFieldsOf } from '../checks/check-dates.ts'
import { type CandidateHit, type CandidateLists, type CandidatesWish, candidatesOf } from './candidates.ts'
import { withDocuments } from './documents.ts'
import { type Candidates, type Grouped, type GroupWish, grouped } from './groups.ts'
import type { Leg } from './legs.ts'
import type { Questions } from './target.ts'

/** Candidates for each hit that groups may hold, at first. */
const PER_HIT = 4
/** Bounds on the candidates of one search: the metadata of each is read. */
const DEPTH_MIN = 32
const DEPTH_MAX = 256

/** Candidates of each leg to begin with. @param least where the mode asks for more */
export function groupDepth(groups: number, { size }: GroupWish, least: number): number {
  return Math.max(least, Math.min(DEPTH_MAX, Math.max(DEPTH_MIN, PER_HIT * groups * size)))
}

/**
 * The hits of the groups from `offset` on, k of them, for each query.
 * @throws ServiceError what the index throws
 */
export async function groupLists(
  index: DocumentIndex,
  questions: Questions,
  { lists, legs }: Pick<CandidateLists, 'lists' | 'legs'>,
  {
    group,
    k,
    offset,
    least,
    ...wish
  }: CandidatesWish & { group: GroupWish; k: number; offset: number; least: number },
): Promise<Grouped<CandidateHit>[][]> {
  const { signal, filter } = wish.options
  const withMetadata = async (list: CandidateHit[], all: boolean): Promise<Candidates<CandidateHit>> => {
    const [read] = await withDocuments(index, [list], list.length, { fields: ['metadata'], signal })
    return { list: read!, all }
  }
  const listOf = async (i: number): Promise<Grouped<CandidateHit>[]> => {
    const first = await withMetadata(lists[i]!, isAll(legs, i, wish.depth))
    const one = questionOf(questions, i)
    const more = async (only: Filter, wanted: number) => {
      const depth = Math.max(least, Math.min(DEPTH_MAX, Math.max(DEPTH_MIN, wanted)))
      const options = { ...wish.options, filter: filter ? both(filter, only) : only }
      const found = await candidatesOf(index, one, { ...wish, depth, options })
      return withMetadata(found.lists[0]!, isAll(found.legs, 0, depth))
    }
    const groups = await grouped(first, offset + k, group, dateFieldsOf(index.settings), more)
    return groups.slice(offset).flat()
  }
  const answers: Grouped<CandidateHit>[][] = []
  for (const i of lists.keys()) answers.push(await listOf(i))
  return answers
}

/** One of the questions by itself. */
function questionOf(questions: Questions, i: number): Questions {
  return {
    ...questions,
    terms: questions.terms.slice(i, i + 1),
    async vectors(signal) {
      return { rows: (await questions.vectors(signal)).rows.slice(i, i + 1) }
    },
  }
}

/** Whether every leg had fewer candidates for a query than were asked for, so that there are no others. */
function isAll(legs: readonly Leg[], i: number, depth: number): boolean {
  return legs.every(({ results }) => results[i]!.hits.length < depth)
}

function both(a: Filter, b: Filter): Filter {
  return { kind: 'and', filters: [a, b] }
}
