import { ServiceError } from '../../errors.ts'
import type { ModelOutput } from '../../inference/pipeline/batch-runner.ts'
import { TENSORS } from '../../model/card.ts'

/** What a reranker's model gives: a finite number for each row. Others have no place in an order. */
export const SCORES: ModelOutput = {
  name: TENSORS.scores,
  width: 1,
  check(numbers) {
    if (numbers.every(Number.isFinite)) return
    throw new ServiceError('INTERNAL', 'The model gave a score that is not a finite number.')
  },
}
