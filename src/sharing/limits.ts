import type { Limits, LimitTable } from '../limits.ts'

export const SHARE_LIMITS = {
  clientSharePercent: {
    unit: '%',
    fallback: 75,
    min: 1,
    max: 100,
    doc: 'Most of REQUESTS_MAX, INGEST_REQUESTS_MAX, DELETIONS_MAX, BODY_MEMORY_BYTES_MAX, ANSWER_MEMORY_BYTES_MAX and of each lane of the encoder that one client (a key, or an address where there are no keys) holds on its own; of several, each gets less, so that a newcomer finds room. 100 switches this off.',
  },
} as const satisfies LimitTable

export type ShareLimits = Limits<typeof SHARE_LIMITS>
