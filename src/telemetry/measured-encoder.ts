import type { Encoder } from '../encoder/encoder.ts'
import { toServiceError } from '../errors.ts'
import type { Metrics } from './metrics.ts'

/** The same encoder, counted and timed from outside. */
export function measuredEncoder(encoder: Encoder, metrics: Metrics): Encoder {
  metrics.watchEncoder(encoder)
  return {
    card: encoder.card,
    device: encoder.device,
    async encode(texts, prompts, options = {}) {
      const started = performance.now()
      const { lane = 'bulk' } = options
      try {
        const result = await encoder.encode(texts, prompts, options)
        const prompt = prompts.length > 1 ? 'both' : prompts[0]!
        metrics.observeEncode({ lane, prompt }, (performance.now() - started) / 1000, result)
        return result
      } catch (error) {
        metrics.countEncodeFault(toServiceError(error).code)
        throw error
      }
    },
    countTokens: (texts, options) => encoder.countTokens(texts, options),
    stats: () => encoder.stats(),
    onDeath: (listener) => encoder.onDeath(listener),
    close: () => encoder.close(),
  }
}
