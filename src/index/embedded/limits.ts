import { ServiceError } from '../../errors.ts'

/** Parameters and limits of the embedded store, with their units. */
export interface EmbeddedStoreLimits {
  /** Links per node of the graph. More: better recall, more memory (about 8 bytes x 2 x m a document). */
  m: number
  /** Candidates weighed while a document is linked in. More: better graph, slower inserts. */
  efConstruction: number
  /** Breadth of a search's walk when the search does not say. */
  efSearch: number
  /** Up to so many matching documents are scored one by one instead of walking the graph. */
  exactScoringMax: number
  /** Deleted or replaced vectors in the graph, as a part of all in it, that start its rebuild. */
  tombstoneRatioMax: number
  /** Fewer tombstones than this never start a rebuild. */
  tombstonesMin: number
  /** Changes after which the graph is written out by itself (at least a fifth of the documents, if that is more). */
  snapshotChangesMin: number
  /** Operations that may wait for the store; more are refused with OVERLOADED. */
  operationsWaitingMax: number
  /** Of them, writes. */
  writesWaitingMax: number
  /** Documents in one upsert. */
  upsertDocumentsMax: number
  /** Longest stretch of work, in milliseconds, between two looks at whether a search waits. */
  sliceMsMax: number
  /** Bound on the database file, in bytes; 0 leaves it to the disk. Writes past it are refused. */
  databaseBytesMax: number
}

export const EMBEDDED_STORE_DEFAULTS: EmbeddedStoreLimits = {
  m: 16,
  efConstruction: 200,
  efSearch: 100,
  exactScoringMax: 10_000,
  tombstoneRatioMax: 0.2,
  tombstonesMin: 1_000,
  snapshotChangesMin: 10_000,
  operationsWaitingMax: 1_024,
  writesWaitingMax: 64,
  upsertDocumentsMax: 1_000,
  sliceMsMax: 5,
  databaseBytesMax: 0,
}

/** What each may be; the native graph ends the process on some values outside. */
const RANGES: { [key in keyof EmbeddedStoreLimits]: [min: number, max: number] } = {
  m: [2, 128],
  efConstruction: [4, 10_000],
  efSearch: [1, 10_000],
  exactScoringMax: [0, 10_000_000],
  tombstoneRatioMax: [0.01, 0.9],
  tombstonesMin: [1, 1_000_000],
  snapshotChangesMin: [1, 100_000_000],
  operationsWaitingMax: [1, 1_000_000],
  writesWaitingMax: [1, 100_000],
  upsertDocumentsMax: [1, 100_000],
  sliceMsMax: [1, 1_000],
  databaseBytesMax: [0, Number.MAX_SAFE_INTEGER],
}

/** @throws ServiceError INVALID_CONFIG */
export function checkLimits(limits: EmbeddedStoreLimits): void {
  for (const [key, [min, max]] of Object.entries(RANGES) as [keyof EmbeddedStoreLimits, [number, number]][]) {
    const value = limits[key]
    const whole = key === 'tombstoneRatioMax' || Number.isInteger(value)
    if (whole && value >= min && value <= max) continue
    throw new ServiceError('INVALID_CONFIG', `${key} must be ${min} to ${max}, not ${value}.`, { field: key })
  }
}

/** Something the operator should know: never texts, never vectors. */
export interface StoreNotice {
  level: 'info' | 'warn'
  /** Stable, for tests and dashboards. */
  kind:
    | 'graph-loaded'
    | 'graph-rejected'
    | 'graph-building'
    | 'graph-built'
    | 'graph-not-built'
    | 'graph-saved'
    | 'graph-not-saved'
  message: string
  facts: Record<string, string | number>
}
