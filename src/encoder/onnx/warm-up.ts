import { firstRunFault, type ModelInWorker, measureRates } from '../../inference/thread/model-in-worker.ts'
import type { Card } from '../../model/card.ts'
import { maxBodyTokens, passesOf, rowTokens } from '../../model/prompt.ts'

/**
 * Runs first real embeddings: proof that the model works, first-run costs paid before a caller waits, and the
 * first measured rates. Rows double in length until one takes longer than `untilMs`.
 *
 * @param body tokens of any text
 * @throws ServiceError MODEL_UNUSABLE where the model fails or does not give what its card says
 */
export async function warmUp(
  card: Card,
  model: Pick<ModelInWorker, 'run' | 'cost'>,
  body: Uint32Array,
  untilMs: number,
): Promise<void> {
  const row = (tokens: number) => {
    const ids = Uint32Array.from({ length: tokens }, (_, i) => body[i % body.length]!)
    return rowTokens(card, ['ebae'], ids)
  }
  try {
    // The first runs allocate and are not typical; the joint pass has kernels of its own.
    await model.run([row(1)])
    for (const pass of passesOf(card, ['ebar', 'ebae'])) {
      await model.run([rowTokens(card, pass, body.slice(0, 1))])
    }
    await measureRates(model, row, maxBodyTokens(card, ['ebae']), untilMs)
  } catch (cause) {
    throw firstRunFault(cause)
  }
}
