import { type RawConfig, unsupported } from './config-values.ts'

/** Stock classes around the same LLaMA; what a head adds is found among the tensors. */
const ARCHITECTURES = [
  'LlamaModel',
  'LlamaForCausalLM',
  'LLaMAForCausalLM',
  'LlamaForSequenceClassification',
  'LlamaForTokenClassification',
  'LlamaForQuestionAnswering',
]

const CAUSAL = 'only causal attention is supported'
const FLOAT = 'convert the checkpoint back to float first'
const FULL = 'only full causal attention is supported'

/** What a key may be; absent and null always may. */
const EXPECTED: [key: string, allowed: unknown[], why: string][] = [
  ['model_type', ['llama'], 'only LLaMA checkpoints (model_type "llama") can be exported'],
  ['hidden_act', ['silu', 'swish'], 'only "silu" is supported'],
  ['sliding_window', [], FULL],
  ['use_sliding_window', [false], FULL],
  ['attn_logit_softcapping', [], 'attention is computed without a cap'],
  ['quantization_config', [], FLOAT],
  ['compression_config', [], FLOAT],
  ['partial_rotary_factor', [1], 'rotary embedding must cover the whole head'],
  ['is_causal', [true], CAUSAL],
  ['transformers_weights', [], 'name the weights model.safetensors, or take this line out'],
]

/**
 * Refuses by name what says that the checkpoint computes something else than the stock LLaMA that is exported. Keys that
 * transformers' LLaMA does not read, and that claim nothing of the kind, are left alone.
 * @throws ToolError CHECKPOINT_UNUSABLE with `details.key`
 */
export function refuseOtherComputations(raw: RawConfig): void {
  for (const [key, allowed, why] of EXPECTED) {
    const value = raw[key] ?? undefined
    if (value === undefined ? key === 'model_type' : !allowed.includes(value))
      throw unsupported(key, raw[key], why)
  }
  for (const [key, value] of Object.entries(raw)) {
    if (/bi-?_?directional/i.test(key) && value) throw unsupported(key, value, CAUSAL)
  }
  refuseOwnCode(raw)
  refuseOtherLayers(raw)
}

/** Code that comes with a checkpoint, such as LLM2Vec's bidirectional LLaMA, is not run here. */
function refuseOwnCode(raw: RawConfig): void {
  const code = raw['auto_map']
  if (typeof code === 'object' && code !== null && Object.keys(code).length > 0) {
    const why =
      'it brings a model class of its own, which may compute something else. If it does not, take this line out'
    throw unsupported('auto_map', code, why)
  }
  const classes: unknown = raw['architectures'] ?? []
  const names = Array.isArray(classes) ? classes : [classes]
  if (names.every((name) => ARCHITECTURES.includes(name))) return
  const why = `only ${ARCHITECTURES[0]} and the heads transformers puts on it are known. If it computes the same, write ["LlamaModel"]`
  throw unsupported('architectures', classes, why)
}

function refuseOtherLayers(raw: RawConfig): void {
  const layers: unknown = raw['layer_types'] ?? []
  if (Array.isArray(layers) && layers.every((layer) => layer === 'full_attention')) return
  throw unsupported('layer_types', layers, FULL)
}
