import type { Limits, LimitTable } from '../limits.ts'

const MIB = 1024 * 1024

/** Every bound of the encoder. Characters are UTF-16 units, as JavaScript counts them. */
export const ENCODER_LIMITS = {
  batchTokensMax: {
    unit: 'tokens',
    fallback: 8192,
    min: 16,
    max: 1_048_576,
    doc: 'Padded tokens of one batch.',
  },
  bulkBatchMsMax: {
    unit: 'ms',
    fallback: 100,
    min: 1,
    max: 60_000,
    doc: 'Time one bulk batch should take: about the longest a search waits behind bulk work.',
  },
  bulkSharePercent: {
    unit: '%',
    fallback: 20,
    min: 0,
    max: 90,
    doc: 'Share of the time that bulk work (ingest, large embedding requests) gets while searches never stop waiting. Searches take the rest.',
  },
  queueTextsMax: {
    unit: 'texts',
    fallback: 4096,
    min: 1,
    max: 1_048_576,
    doc: 'Texts waiting in one lane; more get 429.',
  },
  queueTokensMax: {
    unit: 'tokens',
    fallback: 524_288,
    min: 16,
    max: 67_108_864,
    doc: 'Tokens waiting in one lane; more get 429.',
  },
  queueCharsMax: {
    unit: 'characters',
    fallback: 32 * MIB,
    min: 1024,
    max: 1024 * MIB,
    doc: 'Characters waiting in one lane; more get 429.',
  },
} as const satisfies LimitTable

/** Values for `ENCODER_LIMITS`. */
export type EncoderLimits = Limits<typeof ENCODER_LIMITS>
