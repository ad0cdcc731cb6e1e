import { ToolError } from '../../../cli/tool-error.ts'
import type { Card } from '../../../model/card.ts'

export const PRECISIONS = ['int8', 'int4', 'fp16', 'fp32'] as const satisfies Card['precision'][]
export type Precision = Card['precision']
/** How a precision below fp16 is stored and computed, as the card tells it. */
export type Scheme = NonNullable<Card['quantisation']>
export const QUANTISATIONS = ['calibrated', 'weight-only'] as const satisfies Scheme['kind'][]
export type Quantisation = (typeof QUANTISATIONS)[number]

/**
 * Models of more parameters get int8 without calibration: calibrating runs the model in fp32, which takes 4 bytes of
 * memory a parameter.
 */
const CALIBRATED_PARAMETERS_MAX = 1e9

/**
 * 32 weights a scale: 64 cost half a bit a weight less and drift several times as far. Accuracy level 4 turns
 * activations into 8 bits by blocks of a row, for integer kernels: vectors move by 2e-5 in cosine, and at level 1
 * the runtime unpacks whole 8-bit matrices for every query.
 */
const WEIGHT_ONLY = { kind: 'weight-only', blockSize: 32, accuracyLevel: 4 } as const

/**
 * The scheme for a precision; nothing for floating point. int8 is calibrated for models that can be, unless `forced`.
 * @throws ToolError INVALID_USAGE when the two do not go together
 */
export function chooseScheme(
  precision: Precision,
  parameters: number,
  forced?: Quantisation,
): Scheme | undefined {
  if (precision === 'int4' && forced !== 'calibrated') return { ...WEIGHT_ONLY, bits: 4 }
  if (precision === 'int8') {
    const kind = forced ?? (parameters > CALIBRATED_PARAMETERS_MAX ? 'weight-only' : 'calibrated')
    return kind === 'calibrated' ? { kind, bits: 8 } : { ...WEIGHT_ONLY, bits: 8 }
  }
  if (forced === undefined) return undefined
  const rule =
    precision === 'int4' ? 'int4 is always weight-only' : `${precision} is not quantised: choose int8 or int4`
  throw new ToolError('INVALID_USAGE', `Quantisation ${forced} does not go with ${precision}; ${rule}.`)
}
