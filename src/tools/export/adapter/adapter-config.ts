import { ToolError } from '../../../cli/tool-error.ts'
import { requiredJson } from '../checkpoint/json-files.ts'

const ADAPTER_CONFIG = 'adapter_config.json'

/** What merging needs to know of a LoRA adapter. */
export interface AdapterConfig {
  /** Rank and weight of the update of a module, by its path in the base model, e.g. `model.layers.0.mlp.up_proj`. */
  rank(module: string): number
  /** What B A is multiplied by: alpha / r, or alpha / sqrt(r) with rsLoRA (arXiv:2312.03732). */
  scaling(module: string): number
}

type Raw = Record<string, unknown>

/** Settings that change what the tensors mean. Absent, null, false and empty are all "not used". */
const REFUSED: [key: string, why: string][] = [
  ['use_dora', 'DoRA is not a plain product of two matrices'],
  ['use_qalora', 'QA-LoRA is bound to one quantisation of the base'],
  ['lora_bias', 'biases inside the adapter are not supported'],
  ['layer_replication', 'it changes the number of layers'],
  ['target_parameters', 'only whole linear and embedding modules are supported'],
  ['trainable_token_indices', 'single trained tokens are not supported'],
  ['alora_invocation_tokens', 'an activated LoRA depends on the text and cannot be merged'],
  ['use_bdlora', 'block-diagonal LoRA is not supported'],
  ['kasa_config', 'KaSA is not a plain product of two matrices'],
  ['monteclora_config', 'a sampled LoRA is not a plain product of two matrices'],
  ['arrow_config', 'a routed LoRA depends on the text and cannot be merged'],
  ['megatron_config', 'Megatron modules are not part of a Hugging Face LLaMA'],
]

/** Initialisations that move part of the base weights into the adapter: without the changed base it means nothing. */
const BASE_CHANGING = ['pissa', 'olora', 'corda', 'loftq', 'lora_ga']

/**
 * Reads adapter_config.json as peft writes it. `fan_in_fan_out` is for GPT-2's transposed layers: LLaMA has none,
 * and peft itself does not heed it there.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the setting that cannot be merged
 */
export async function readAdapterConfig(folder: string): Promise<AdapterConfig> {
  const raw = await requiredJson(folder, ADAPTER_CONFIG)
  if (raw['peft_type'] !== 'LORA') throw refused('peft_type', raw['peft_type'], 'only "LORA" can be merged')
  if (![undefined, null, 'none'].includes(raw['bias'] as undefined)) {
    throw refused('bias', raw['bias'], 'trained biases are not supported')
  }
  for (const [key, why] of REFUSED) if (isUsed(raw[key])) throw refused(key, raw[key], why)
  const start = raw['init_lora_weights']
  if (typeof start === 'string' && BASE_CHANGING.some((name) => start.startsWith(name))) {
    throw refused(
      'init_lora_weights',
      start,
      'it changes the base weights; save the adapter as plain LoRA first',
    )
  }
  const rank = byModule(raw, 'r', 'rank_pattern')
  const alpha = byModule(raw, 'lora_alpha', 'alpha_pattern')
  const rootOf = raw['use_rslora'] === true ? Math.sqrt : (value: number) => value
  return { rank, scaling: (module) => alpha(module) / rootOf(rank(module)) }
}

/** A number, and the exceptions from it: the first pattern that matches a module's path, or its end, wins. */
function byModule(raw: Raw, key: string, patternKey: string): (module: string) => number {
  const usual = positive(raw[key], key)
  const patterns = Object.entries((raw[patternKey] ?? {}) as Raw).map(([pattern, value]) => ({
    matches: patternOf(pattern, patternKey),
    value: positive(value, `${patternKey}.${pattern}`),
  }))
  return (module) => patterns.find(({ matches }) => matches.test(module))?.value ?? usual
}

/** peft's own rule (utils/other.py, get_pattern_key). */
function patternOf(pattern: string, key: string): RegExp {
  try {
    return new RegExp(`^(.*\\.)?(${pattern})$`)
  } catch (cause) {
    throw refused(key, pattern, 'this pattern cannot be read', cause)
  }
}

function positive(value: unknown, key: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  throw refused(key, value, 'a number above 0 is needed')
}

function isUsed(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false
  return Object.keys(value).length > 0 || typeof value !== 'object'
}

function refused(key: string, value: unknown, why: string, cause?: unknown): ToolError {
  const message = `${ADAPTER_CONFIG}: ${key} is ${JSON.stringify(value)}; ${why}.`
  return new ToolError('CHECKPOINT_UNUSABLE', message, { key }, cause)
}
