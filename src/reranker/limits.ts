import type { Limits, LimitTable } from '../limits.ts'

const MIB = 1024 * 1024

/** Every bound of the reranker. Characters are UTF-16 units, as JavaScript counts them. */
export const RERANKER_LIMITS = {
  rerankBatchTokensMax: {
    unit: 'tokens',
    fallback: 8192,
    min: 16,
    max: 1_048_576,
    doc: 'Padded tokens of one batch of the reranker.',
  },
  rerankBatchMsMax: {
    unit: 'ms',
    fallback: 250,
    min: 1,
    max: 60_000,
    doc: 'Time one batch of the reranker should take: about the longest a call waits behind another, as a batch that runs is not interrupted. A batch has at least one text.',
  },
  rerankQueueTextsMax: {
    unit: 'texts',
    fallback: 2048,
    min: 1,
    max: 1_048_576,
    doc: 'Texts waiting for the reranker in one lane; more get 429.',
  },
  rerankQueueTokensMax: {
    unit: 'tokens',
    fallback: 262_144,
    min: 16,
    max: 67_108_864,
    doc: 'Tokens waiting for the reranker in one lane, the query counted with each text; more get 429.',
  },
  rerankQueueCharsMax: {
    unit: 'characters',
    fallback: 16 * MIB,
    min: 1024,
    max: 1024 * MIB,
    doc: 'Characters of texts waiting for the reranker in one lane; more get 429.',
  },
} as const satisfies LimitTable

/** Values for `RERANKER_LIMITS`. */
export type RerankerLimits = Limits<typeof RERANKER_LIMITS>
