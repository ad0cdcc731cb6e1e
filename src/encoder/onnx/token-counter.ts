import { abandoned } from '../../inference/pipeline/row-call.ts'
import { TokenizeStage } from '../../inference/tokenize-stage.ts'
import type { BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'

/** Counts the tokens of texts, on the thread pool, in a line of their own: those to be embedded do not wait behind them. */
export class TokenCounter {
  readonly #stage: TokenizeStage

  constructor(tokenizer: Pick<BodyTokenizer, 'encodeStart'>) {
    // Without an end, texts are read whole.
    this.#stage = new TokenizeStage(tokenizer, Number.POSITIVE_INFINITY, () => {})
  }

  /**
   * @returns number i for text i
   * @throws ServiceError ABORTED; whatever the tokenizer throws
   */
  count(texts: readonly string[], signal: AbortSignal): Promise<Uint32Array> {
    return new Promise((resolve, reject) => {
      const counts = new Uint32Array(texts.length)
      let missing = texts.length
      if (signal.aborted) reject(abandoned())
      else if (missing === 0) resolve(counts)
      signal.addEventListener('abort', () => reject(abandoned()), { once: true })
      this.#stage.add(
        texts.map((text, index) => ({
          text,
          wanted: () => !signal.aborted,
          done: ({ ids }) => {
            counts[index] = ids.length
            if (--missing === 0) resolve(counts)
          },
          failed: reject,
        })),
      )
    })
  }
}
