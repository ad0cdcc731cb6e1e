import { count, flag, positive, type RawConfig, unsupported } from './config-values.ts'
import { refuseOtherComputations } from './other-computations.ts'
import { type RopeScaling, readRope } from './rope-config.ts'

/** What the export needs to know of a LLaMA. */
export interface LlamaConfig {
  hiddenSize: number
  intermediateSize: number
  layers: number
  attentionHeads: number
  keyValueHeads: number
  headSize: number
  vocabularySize: number
  normEpsilon: number
  positionsMax: number
  ropeTheta: number
  ropeScaling: RopeScaling
  /** Whether q, k, v and o, and whether gate, up and down, add a bias. */
  attentionBias: boolean
  mlpBias: boolean
}

/**
 * Reads `config.json` of a Hugging Face LLaMA. Whatever would change the mathematics and is not supported is
 * refused by its name.
 * @throws ToolError CHECKPOINT_UNUSABLE with `details.key`
 */
export function readLlamaConfig(raw: RawConfig): LlamaConfig {
  refuseOtherComputations(raw)
  const hiddenSize = count(raw, 'hidden_size')
  const attentionHeads = count(raw, 'num_attention_heads')
  const keyValueHeads = count(raw, 'num_key_value_heads', attentionHeads)
  if (attentionHeads % keyValueHeads !== 0) {
    throw unsupported(
      'num_key_value_heads',
      keyValueHeads,
      `it must divide num_attention_heads (${attentionHeads})`,
    )
  }
  const headSize = count(raw, 'head_dim', hiddenSize / attentionHeads)
  if (headSize % 2 !== 0) throw unsupported('head_dim', headSize, 'rotary embedding needs an even number')
  return {
    hiddenSize,
    intermediateSize: count(raw, 'intermediate_size'),
    layers: count(raw, 'num_hidden_layers'),
    attentionHeads,
    keyValueHeads,
    headSize,
    vocabularySize: count(raw, 'vocab_size'),
    normEpsilon: positive(raw, 'rms_norm_eps', 1e-6),
    positionsMax: count(raw, 'max_position_embeddings', 2048),
    attentionBias: flag(raw, 'attention_bias'),
    mlpBias: flag(raw, 'mlp_bias'),
    ...readRope(raw),
  }
}
