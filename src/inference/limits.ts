/** Every bound of the encoder, with its unit. */
export interface EncoderLimits {
  /** UTF-16 units of one text; a longer one is refused, whatever `truncate` says. */
  textCharsMax: number
  /** Padded tokens of one batch (rows x longest row). A single longer row runs alone. */
  batchTokensMax: number
  /**
   * Milliseconds one bulk batch should take, by the rates measured so far: about the longest an interactive call
   * waits behind bulk work. A batch never has less than one row.
   */
  bulkBatchMsMax: number
  /** Texts waiting in one lane, and so in one call. */
  queueTextsMax: number
  /** Tokens waiting in one lane, estimated from the characters until a text has been tokenised. */
  queueTokensMax: number
  /** UTF-16 units of the texts waiting in one lane: bounds the memory of texts far longer than the model reads. */
  queueCharsMax: number
}

export const DEFAULT_LIMITS: EncoderLimits = {
  textCharsMax: 1_000_000,
  batchTokensMax: 8_192,
  bulkBatchMsMax: 100,
  queueTextsMax: 4_096,
  queueTokensMax: 524_288,
  queueCharsMax: 33_554_432,
}

/** What a text takes up in its lane's queue. */
export interface QueueCost {
  texts: number
  tokens: number
  chars: number
}

/** The cost of texts whose tokens are not known yet: four characters a token, at most `rowTokensMax` a text. */
export function estimatedCost(texts: readonly string[], rowTokensMax: number): QueueCost {
  const cost = { texts: texts.length, tokens: 0, chars: 0 }
  for (const text of texts) {
    cost.tokens += Math.min(rowTokensMax, Math.ceil(text.length / 4))
    cost.chars += text.length
  }
  return cost
}

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
    fallback: 33_554_432,
    min: 1024,
    max: 1_073_741_824,
    doc: 'Characters waiting in one lane; more get 429.',
  },
} as const
