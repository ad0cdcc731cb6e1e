import type { Limits, LimitTable } from '../limits.ts'

const MIB = 1024 * 1024

export const COLLECTION_LIMITS = {
  collectionsMax: {
    unit: 'collections',
    fallback: 10_000,
    min: 1,
    max: 100_000,
    doc: 'Most collections; one more is refused with 413.',
  },
  collectionsOpenMax: {
    unit: 'collections',
    fallback: 64,
    min: 1,
    max: 4096,
    doc: 'Collections open at once beside `default`. The one that is longest without a request is closed for another; where all are in use, a request waits.',
  },
  collectionVectorBytesMax: {
    unit: 'bytes',
    fallback: 1024 * MIB,
    min: MIB,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'Memory that the vectors of open collections beside `default` may take; above it, those that are not in use are closed, the one longest without a request first.',
  },
  copyDocumentsMax: {
    unit: 'documents',
    fallback: 10_000,
    min: 1,
    max: 10_000_000,
    doc: 'Most documents of a collection that one request may copy; it waits for the copy, at most INGEST_TIMEOUT_MS.',
  },
} as const satisfies LimitTable

export type CollectionLimits = Limits<typeof COLLECTION_LIMITS>
