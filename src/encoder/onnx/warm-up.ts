import { ServiceError } from '../../errors.ts'
import type { BatchCost } from '../../inference/batch-cost.ts'
import type { Card } from '../../model/card.ts'
import { maxBodyTokens, rowTokens } from '../../model/prompt.ts'
import type { BatchRunner } from './batch-runner.ts'

/**
 * Runs first real embeddings: proof that the model works, first-run costs paid before a caller waits, and the
 * first measured rates. Rows double in length until one takes longer than `untilMs`.
 *
 * @param body tokens of any text
 * @throws ServiceError MODEL_UNUSABLE
 */
export async function warmUp(
  runner: BatchRunner,
  card: Card,
  cost: BatchCost,
  body: Uint32Array,
  untilMs: number,
): Promise<void> {
  const row = (tokens: number) => {
    const ids = Uint32Array.from({ length: tokens }, (_, i) => body[i % body.length]!)
    return rowTokens(card, 'ebae', ids)
  }
  const tokensMax = maxBodyTokens(card, 'ebae')
  try {
    // The first runs allocate and are not typical; the joint pass has kernels of its own.
    await runner.run([row(1)])
    await runner.run([rowTokens(card, 'both', body.slice(0, 1))])
    for (let tokens = Math.min(8, tokensMax); ; tokens = Math.min(2 * tokens, tokensMax)) {
      const rows = [row(tokens)]
      const start = performance.now()
      await runner.run(rows)
      const ms = performance.now() - start
      cost.observe(1, rows[0]!.ids.length, ms)
      if (tokens === tokensMax || ms > untilMs) return
    }
  } catch (cause) {
    const why = cause instanceof ServiceError ? cause.message : 'The graph fails on its first text.'
    throw new ServiceError('MODEL_UNUSABLE', `${why} Export the model again.`, {}, cause)
  }
}
