import { positive, type RawConfig, unsupported } from './config-values.ts'

/** How rotary frequencies are stretched for longer contexts. */
export type RopeScaling =
  | { kind: 'default' }
  | { kind: 'linear'; factor: number }
  | { kind: 'llama3'; factor: number; lowFactor: number; highFactor: number; originalPositions: number }

const THETA_DEFAULT = 10_000

/** transformers 5 writes `rope_parameters`; earlier releases wrote `rope_theta` and `rope_scaling`. */
export function readRope(raw: RawConfig): { ropeTheta: number; ropeScaling: RopeScaling } {
  const key = isObject(raw['rope_parameters']) ? 'rope_parameters' : 'rope_scaling'
  const parameters = raw[key] ?? {}
  if (!isObject(parameters)) throw unsupported(key, parameters, 'an object is needed')
  const inner = positive(parameters, 'rope_theta', positive(raw, 'rope_theta', THETA_DEFAULT))
  if (![undefined, null, 1].includes(parameters['partial_rotary_factor'] as undefined)) {
    throw unsupported(
      `${key}.partial_rotary_factor`,
      parameters['partial_rotary_factor'],
      'rotary embedding must cover the whole head',
    )
  }
  return { ropeTheta: inner, ropeScaling: readScaling(key, parameters, raw) }
}

function readScaling(key: string, parameters: RawConfig, raw: RawConfig): RopeScaling {
  const kind = parameters['rope_type'] ?? parameters['type'] ?? 'default'
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
        originalPositions: positive(
          parameters,
          'original_max_position_embeddings',
          raw['original_max_position_embeddings'] as number | undefined,
        ),
      }
    default:
      throw unsupported(`${key}.rope_type`, kind, 'supported are "default", "linear" and "llama3"')
  }
}

function isObject(value: unknown): value is RawConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
