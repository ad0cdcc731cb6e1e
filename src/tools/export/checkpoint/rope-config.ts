import { positive, type RawConfig, unsupported } from './config-values.ts'

/** How rotary frequencies are stretched for longer contexts. */
export type RopeScaling =
  | { kind: 'default' }
  | { kind: 'linear'; factor: number }
  | { kind: 'llama3'; factor: number; lowFactor: number; highFactor: number; originalPositions: number }

const THETA_DEFAULT = 10_000

/** transformers 5 writes `rope_parameters`; earlier releases wrote `rope_theta` and `rope_scaling`. */
const KEYS = ['rope_parameters', 'rope_scaling'] as const

/**
 * Versions of transformers differ in which of two places they believe, so what is said twice must agree.
 * @throws ToolError CHECKPOINT_UNUSABLE with `details.key`
 */
export function readRope(raw: RawConfig): { ropeTheta: number; ropeScaling: RopeScaling } {
  const stated = KEYS.filter((key) => isStated(raw, key))
  const [key = KEYS[0]] = stated
  const rope = ropeOf(raw, key)
  for (const other of stated.slice(1)) {
    if (JSON.stringify(ropeOf(raw, other)) === JSON.stringify(rope)) continue
    throw unsupported(
      other,
      raw[other],
      `${key} says ${JSON.stringify(raw[key])}. Keep the one the model was trained with`,
    )
  }
  return rope
}

/** An empty object counts as nothing, as in transformers. */
function isStated(raw: RawConfig, key: string): boolean {
  const value = raw[key]
  if (value === undefined || value === null) return false
  if (isObject(value)) return Object.keys(value).length > 0
  throw unsupported(key, value, 'an object is needed')
}

function ropeOf(raw: RawConfig, key: string): { ropeTheta: number; ropeScaling: RopeScaling } {
  const parameters = (raw[key] ?? {}) as RawConfig
  const nested = Object.keys(parameters).find((name) => isObject(parameters[name]))
  if (nested !== undefined) {
    throw unsupported(
      `${key}.${nested}`,
      parameters[nested],
      'one rotary embedding for all layers is supported',
    )
  }
  const part = parameters['partial_rotary_factor']
  if (![undefined, null, 1].includes(part as undefined)) {
    throw unsupported(`${key}.partial_rotary_factor`, part, 'rotary embedding must cover the whole head')
  }
  return { ropeTheta: thetaOf(raw, key, parameters), ropeScaling: readScaling(key, parameters, raw) }
}

function thetaOf(raw: RawConfig, key: string, parameters: RawConfig): number {
  const outer = positive(raw, 'rope_theta', THETA_DEFAULT)
  const inner = positive(parameters, 'rope_theta', outer)
  if ((raw['rope_theta'] ?? undefined) === undefined || inner === outer) return inner
  const why = `${key}.rope_theta is ${inner}. Keep the one the model was trained with`
  throw unsupported('rope_theta', outer, why)
}

function readScaling(key: string, parameters: RawConfig, raw: RawConfig): RopeScaling {
  const { rope_type: now, type: before } = parameters
  const kind = now ?? before ?? 'default'
  if (before !== undefined && before !== null && before !== kind) {
    throw unsupported(`${key}.type`, before, `rope_type is ${JSON.stringify(now)}`)
  }
  switch (kind) {
    case 'default':
      return { kind: 'default' }
    case 'linear':
      return { kind: 'linear', factor: positive(parameters, 'factor') }
    case 'llama3':
      return {
        kind: 'llama3',
        factor: positive(parameters, 'factor'),
        lowFactor: positive(parameters, 'low_freq_factor'),
        highFactor: positive(parameters, 'high_freq_factor'),
        originalPositions: originalPositions(raw, parameters),
      }
    default:
      throw unsupported(`${key}.rope_type`, kind, 'supported are "default", "linear" and "llama3"')
  }
}

function originalPositions(raw: RawConfig, parameters: RawConfig): number {
  const key = 'original_max_position_embeddings'
  const outer = raw[key] ?? undefined
  const inner = positive(parameters, key, outer as number | undefined)
  if (outer === undefined || outer === inner) return inner
  throw unsupported(key, outer, `the rope parameters say ${inner}`)
}

function isObject(value: unknown): value is RawConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
