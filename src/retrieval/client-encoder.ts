import type { EncodeResult, Encoder } from '../encoder/encoder.ts'

/** What happens around each call of a client. */
export interface AroundCalls {
  before?(signal: AbortSignal | undefined): Promise<void>
  after?(usage: Pick<EncodeResult, 'tokens'>): void
}

/** The same encoder, working for one client of those that take turns with it. */
export function clientEncoder(encoder: Encoder, client: string, around: AroundCalls = {}): Encoder {
  return {
    card: encoder.card,
    device: encoder.device,
    async encode(texts, prompts, options = {}) {
      await around.before?.(options.signal)
      const result = await encoder.encode(texts, prompts, { ...options, client })
      around.after?.(result)
      return result
    },
    countTokens: (texts, options) => encoder.countTokens(texts, options),
    stats: () => encoder.stats(),
    onDeath: (listener) => encoder.onDeath(listener),
    close: () => encoder.close(),
  }
}
