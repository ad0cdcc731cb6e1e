import { ToolError } from '../../../cli/tool-error.ts'
import { type RawConfig, unsupported } from './config-values.ts'
import type { LlamaConfig } from './llama-config.ts'
import { EMBEDDING } from './tensor-names.ts'

/** What a checkpoint has on top of the LLaMA: a linear map to one score, or the LM head. An encoder needs neither. */
export type Head = 'none' | 'score' | 'lm_head'

/** Where a head's matrix is read. Each of its rows makes one number of a state. */
export interface HeadSource {
  head: Head
  /** Name of its tensor among those of the LLaMA; a tied LM head is the embedding table. */
  tensor: string | undefined
  /** What is stored beside the LLaMA's own tensors for it, with its shape. */
  stored: ReadonlyMap<string, number[]>
}

const SCORE = 'score.weight'
const LM_HEAD = 'lm_head.weight'

/** Tensors that stand beside the LLaMA in a checkpoint, and so have no `model.` before their names. */
export function isHeadTensor(name: string): boolean {
  return name === SCORE || name === LM_HEAD
}

/** @throws ToolError CHECKPOINT_UNUSABLE for a config that does not say what it ties */
export function headSource(head: Head, config: LlamaConfig, raw: RawConfig): HeadSource {
  if (head === 'none') return { head, tensor: undefined, stored: new Map() }
  if (head === 'score') {
    return { head, tensor: SCORE, stored: new Map([[SCORE, [1, config.hiddenSize]]]) }
  }
  const tied = raw['tie_word_embeddings'] ?? false
  if (typeof tied !== 'boolean') throw unsupported('tie_word_embeddings', tied, 'true or false is needed')
  if (tied) return { head, tensor: EMBEDDING, stored: new Map() }
  return {
    head,
    tensor: LM_HEAD,
    stored: new Map([[LM_HEAD, [config.vocabularySize, config.hiddenSize]]]),
  }
}

/** A head's tensor in a shape that cannot be used, said so that the reader knows what it is. */
export function headShapeFault(name: string, shape: readonly number[]): ToolError | undefined {
  if (name !== SCORE) return undefined
  const message =
    `Tensor ${SCORE} has shape [${shape}]: a classifier of ${shape[0]} labels. ` +
    'A reranker gives one score (num_labels 1).'
  return new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: name })
}
