import { ServiceError } from '../../errors.ts'
import type { ModelOutput } from '../../inference/pipeline/batch-runner.ts'
import { TENSORS } from '../../model/card.ts'

/** How far from 1 the length of a row may be before it is taken for a fault of the model. */
const UNIT_TOLERANCE = 0.01

/** What an encoder's model gives: vectors of unit length. One of NaN or of no length would spoil an index without a sign. */
export function embeddings(dimensions: number): ModelOutput {
  return {
    name: TENSORS.embeddings,
    width: dimensions,
    check(numbers) {
      for (let start = 0; start < numbers.length; start += dimensions) {
        let squares = 0
        for (let i = start; i < start + dimensions; i++) squares += numbers[i]! * numbers[i]!
        if (Math.abs(squares - 1) < UNIT_TOLERANCE) continue
        throw new ServiceError('INTERNAL', 'The model gave a vector that is not of unit length.')
      }
    },
  }
}
