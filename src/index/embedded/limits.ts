import type { Limits, LimitTable } from '../../limits.ts'
import { HNSW_BOUNDS } from '../collection-settings.ts'

/** What an operator may set, each with its default and range. The native graph ends the process on some values outside. */
export const INDEX_LIMITS = {
  hnswM: {
    unit: 'links',
    fallback: 16,
    min: HNSW_BOUNDS.m[0],
    max: HNSW_BOUNDS.m[1],
    doc: 'Links per vector in the HNSW graph: recall against memory (about 8 bytes x 2 x links a vector).',
  },
  hnswEfConstruction: {
    unit: 'candidates',
    fallback: 200,
    min: HNSW_BOUNDS.efConstruction[0],
    max: HNSW_BOUNDS.efConstruction[1],
    doc: 'Candidates weighed while a vector is linked in: recall against ingest.',
  },
  hnswEf: {
    unit: 'candidates',
    fallback: 100,
    min: HNSW_BOUNDS.ef[0],
    max: HNSW_BOUNDS.ef[1],
    doc: 'Candidates kept during a search that does not say `ef`.',
  },
  exactScoringMax: {
    unit: 'documents',
    fallback: 10_000,
    min: 0,
    max: 10_000_000,
    doc: 'At or below this many matches, score all of them instead of using the HNSW graph.',
  },
  tombstonePercentMax: {
    unit: 'percent',
    fallback: 20,
    min: 1,
    max: 90,
    doc: 'Share of deleted or replaced vectors in the HNSW graph that starts its rebuild.',
  },
  snapshotChangesMin: {
    unit: 'changes',
    fallback: 10_000,
    min: 1,
    max: 100_000_000,
    doc: 'Changes after which the HNSW graph is saved (or a fifth of the vectors, if that is more).',
  },
  lexicalTermsMax: {
    unit: 'words',
    fallback: 128,
    min: 1,
    max: 4096,
    doc: 'Distinct words of a query that a lexical search looks for, the first ones; the others are left out.',
  },
  storeOperationsMax: {
    unit: 'operations',
    fallback: 1024,
    min: 1,
    max: 65_536,
    doc: 'Operations waiting for the index; more get 429.',
  },
  storeWritesMax: {
    unit: 'operations',
    fallback: 64,
    min: 1,
    max: 65_536,
    doc: 'Writes waiting for the index; more get 429.',
  },
  backupsMax: {
    unit: 'backups',
    fallback: 7,
    min: 1,
    max: 1000,
    doc: 'Backups kept in BACKUP_DIR; a new one removes the oldest beyond that.',
  },
  scrubHours: {
    unit: 'hours',
    fallback: 24,
    min: 0,
    max: 500,
    doc: 'Time between two checks of everything stored against its checksums, in the background, the first right after the start; 0 leaves them out.',
  },
  reserveBytes: {
    unit: 'bytes',
    fallback: 32 * 1024 * 1024,
    min: 0,
    max: 1024 * 1024 * 1024,
    doc: 'Room held back on the disk of DATA_DIR, so that documents can be deleted when it is full. 0 holds none.',
  },
  answerBytesMax: {
    unit: 'bytes',
    fallback: 16 * 1024 * 1024,
    min: 1024,
    max: 1024 * 1024 * 1024,
    doc: 'Most text, titles and metadata of one answer: a search for more gets 413, a page of a listing ends earlier. A single document is always given.',
  },
  databaseBytesMax: {
    unit: 'bytes',
    fallback: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'Largest database file of a collection; 0 leaves it to the disk.',
  },
} as const satisfies LimitTable

/** What only this engine's own tests change. */
export const INDEX_TUNING = {
  tombstonesMin: {
    unit: 'vectors',
    fallback: 1000,
    min: 1,
    max: 1_000_000,
    doc: 'Fewer tombstones than this never start a rebuild.',
  },
  sliceMsMax: {
    unit: 'ms',
    fallback: 5,
    min: 1,
    max: 1000,
    doc: 'Longest stretch of work between two looks at whether a search waits.',
  },
} as const satisfies LimitTable

export type IndexLimits = Limits<typeof INDEX_LIMITS> & Limits<typeof INDEX_TUNING>
