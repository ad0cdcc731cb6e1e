import { ServiceError } from '../../errors.ts'
import { maxBodyTokens, passesOf, rowTokens } from '../../model/prompt.ts'
import type { PipelineParts } from './pipeline.ts'

/**
 * Runs first real embeddings: proof that the model works, first-run costs paid before a caller waits, and the
 * first measured rates. Rows double in length until one takes longer than `untilMs`.
 *
 * @param body tokens of any text
 * @throws ServiceError MODEL_UNUSABLE where the model fails or does not give what its card says
 */
export async function warmUp(
  { run, card, cost }: Pick<PipelineParts, 'run' | 'card' | 'cost'>,
  body: Uint32Array,
  untilMs: number,
): Promise<void> {
  const row = (tokens: number) => {
    const ids = Uint32Array.from({ length: tokens }, (_, i) => body[i % body.length]!)
    return rowTokens(card, ['ebae'], ids)
  }
  const tokensMax = maxBodyTokens(card, ['ebae'])
  try {
    // The first runs allocate and are not typical; the joint pass has kernels of its own.
    await run([row(1)])
    for (const pass of passesOf(card, ['ebar', 'ebae'])) await run([rowTokens(card, pass, body.slice(0, 1))])
    for (let tokens = Math.min(8, tokensMax); ; tokens = Math.min(2 * tokens, tokensMax)) {
      const rows = [row(tokens)]
      const start = performance.now()
      await run(rows)
      const ms = performance.now() - start
      cost.observe(1, rows[0]!.ids.length, ms)
      if (tokens === tokensMax || ms > untilMs) return
    }
  } catch (cause) {
    const why = cause instanceof ServiceError ? cause.message : 'The model fails on its first text.'
    throw new ServiceError('MODEL_UNUSABLE', `${why} Export the model again.`, {}, cause)
  }
}
