import type { EncodeOptions, Encoder, Prompt } from '../encoder/encoder.ts'
import { toServiceError } from '../errors.ts'
import type { Metrics } from './metrics.ts'

/** The same encoder, counted and timed from outside. */
export function measuredEncoder(encoder: Encoder, metrics: Metrics): Encoder {
  metrics.watchEncoder(encoder)
  async function measure<T extends { truncated: Uint8Array }>(
    prompt: Prompt | 'both',
    { lane = 'bulk' }: EncodeOptions,
    run: () => Promise<T>,
  ): Promise<T> {
    const started = performance.now()
    try {
      const result = await run()
      metrics.observeEncode({ lane, prompt }, (performance.now() - started) / 1000, result)
      return result
    } catch (error) {
      metrics.countEncodeFault(toServiceError(error).code)
      throw error
    }
  }
  return {
    card: encoder.card,
    device: encoder.device,
    encode: (texts, prompt, options = {}) =>
      measure(prompt, options, () => encoder.encode(texts, prompt, options)),
    encodeBoth: (texts, options = {}) => measure('both', options, () => encoder.encodeBoth(texts, options)),
    load: () => encoder.load(),
    close: () => encoder.close(),
  }
}
