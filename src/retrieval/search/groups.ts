import type { Filter } from '../../index/filter.ts'
import type { JsonScalar, Metadata } from '../../index/json.ts'
import { type DateFields, dateOf } from '../../index/metadata/dates.ts'
import type { SortValue } from '../../index/metadata/sort.ts'
import { metadataValues } from '../../index/metadata-values.ts'
import { compareScalars } from '../../index/order.ts'

/** How hits are put in groups. */
export interface GroupWish {
  path: string[]
  /** Most hits of one group. */
  size: number
}

interface Candidate {
  id: string
  document?: { metadata?: Metadata }
}

/** Some candidates of one query, best first. */
export interface Candidates<C> {
  list: readonly C[]
  /** Whether nothing else matches. */
  all: boolean
}

/** Searches again for one query, among what matches a filter besides. */
export type More<C> = (filter: Filter, k: number) => Promise<Candidates<C>>

export type Grouped<C> = C & { group?: JsonScalar }

/**
 * The first k groups of one query, in the order of their best hits, the hits of each together. Where the candidates do
 * not have so many, what is left of the index is searched without the groups that are known, so that k come whenever
 * there are k.
 *
 * @param first candidates of the query, their metadata with them
 * @param dates fields of dates: one group for each instant
 */
export async function grouped<C extends Candidate>(
  first: Candidates<C>,
  k: number,
  { path, size }: GroupWish,
  dates: DateFields,
  more: More<C>,
): Promise<Grouped<C>[][]> {
  const groups: { value: SortValue; hits: Grouped<C>[] }[] = []
  const taken = new Set<string>()
  const isDate = dates.has(path)
  const written = (value: JsonScalar) => (isDate && typeof value === 'string' ? dateOf(value) : value)
  const take = (list: readonly C[], open: number): void => {
    for (const hit of list) {
      if (taken.has(hit.id)) continue
      const value = groupOf(hit.document?.metadata ?? {}, path, dates)
      const known = value === undefined ? undefined : groups.find((group) => group.value === value)
      if (known ? known.hits.length >= size : groups.length >= open) continue
      taken.add(hit.id)
      const placed = value === undefined ? hit : { ...hit, group: written(value) }
      if (known) known.hits.push(placed)
      else groups.push({ value, hits: [placed] })
    }
  }
  take(first.list, k)
  for (let { all } = first; !all && groups.length < k; ) {
    const before = groups.length
    const values = groups.flatMap(({ value }) => (value === undefined ? [] : [value]))
    // Documents without the field come again: there is room for as many as have been taken.
    const lone = groups.length - values.length
    const next = await more(
      { kind: 'not', filter: { kind: 'in', path, values } },
      (k - groups.length) * size + lone,
    )
    take(next.list, k)
    all = next.all || groups.length === before
  }
  for (const { value, hits } of first.all ? [] : groups) {
    if (value === undefined || hits.length >= size) continue
    // What was taken already comes again.
    take((await more({ kind: 'in', path, values: [value] }, size)).list, 0)
  }
  return groups.map(({ hits }) => hits)
}

/** The value that a document is grouped by: the first of a list, in the order of values; undefined where it has none. */
function groupOf(metadata: Metadata, path: readonly string[], dates: DateFields): SortValue {
  const scalars = metadataValues(metadata, dates)
    .filter((place) => place.path.length === path.length && place.path.every((name, i) => name === path[i]))
    .flatMap(({ value }) => (typeof value === 'object' && value !== null ? [] : [value]))
  return scalars.sort(compareScalars)[0]
}
