import type { Static } from 'typebox'
import type { CARD_SCHEMAS, PairTemplateSchema, PromptSchema } from './card-schema.ts'

/** What a model is for. */
export type CardKind = keyof typeof CARD_SCHEMAS

/** models/<name>/model.json, as card-schema.ts describes it. This file stays light: the worker thread loads it. */
export type Card<Kind extends CardKind = 'encoder'> = Static<(typeof CARD_SCHEMAS)[Kind]>
export type CardPrompt = Static<typeof PromptSchema>
export type PairTemplate = Static<typeof PairTemplateSchema>

/** File names inside a model folder. Weights of large models lie beside the model as ONNX external data. */
export const MODEL_FILES = {
  card: 'model.json',
  model: 'model.onnx',
  weights: 'model.onnx.data',
  tokenizer: 'tokenizer.json',
} as const

/**
 * Inputs and outputs of model.onnx. Rows are padded on the right; attention is causal, so there is no
 * mask.
 *
 * - `input_ids` int64 [batch, tokens].
 * - `spans` int64 [batch, groups, 2]: half-open token range of each prompt suffix in the row. One group for a
 *   single pass. Two groups, SELF (EBAE) then NEXT (EBAR), select the joint pass: NEXT does not see SELF and its
 *   positions restart where SELF's start.
 * - `embeddings` float32 [batch, groups, dimensions], an encoder's: mean over the last `pooling.tokens` states of each
 *   span after the final norm, L2-normalised.
 * - `scores` float32 [batch, groups], a reranker's: the head's number for the last state of each span. Its rows have
 *   one group.
 */
export const TENSORS = {
  inputIds: 'input_ids',
  spans: 'spans',
  embeddings: 'embeddings',
  scores: 'scores',
} as const
