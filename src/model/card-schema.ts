import { Type } from 'typebox'

/**
 * models/<name>/model.json: everything about a model that is not weights. Prompts are data: the paper's template
 * (one `</s>`) and the released checkpoints' (quotes, instruction, eight special tokens, mean of eight) are both
 * a prefix, a suffix and a number of pooled positions. So are the templates of rerankers.
 */

/** Version written today; upgrade-card.ts reads the earlier ones. */
export const CARD_FORMAT = 2

/** Token ids are what runs; the strings are for people and were tokenised apart, as the method asks. */
export const PromptSchema = Type.Object(
  {
    prefix: Type.String(),
    suffix: Type.String(),
    /** Ids before the body, BOS included where the model wants one. */
    prefixIds: Type.Array(Type.Integer({ minimum: 0 })),
    /** Ids after the body, special tokens included; the last `pooling.tokens` of them are pooled. */
    suffixIds: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
    /** Most body tokens; longer bodies are cut here, the suffix never. */
    maxBodyTokens: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
)

const Ids = Type.Array(Type.Integer({ minimum: 0 }))

/**
 * What a reranker reads: `beginIds`, the query, `betweenIds`, the text, `endIds`. The query and the text are tokenised
 * apart, each together with the words before it, as in training.
 */
export const PairTemplateSchema = Type.Object(
  {
    /** Words before the query and before the text. */
    query: Type.String(),
    text: Type.String(),
    beginIds: Ids,
    betweenIds: Ids,
    /** The score is read at the row's last token: the last of these, or of the text where there are none. */
    endIds: Ids,
    /** Ids that are special to the model, and that no text may yield. */
    reservedIds: Ids,
    /** Most tokens of the query and of the text, the words before each included; longer ones are cut at their end. */
    maxQueryTokens: Type.Integer({ minimum: 1 }),
    maxTextTokens: Type.Integer({ minimum: 1 }),
    /** Most tokens of a row. Where query and text have more together, the text is cut further. */
    maxTokens: Type.Integer({ minimum: 1 }),
    /** All of it for people: `{query}` and `{text}` stand for the two. */
    shown: Type.String(),
  },
  { additionalProperties: false },
)

/** How int8 and int4 are made: activations in calibrated 8-bit ranges, or weights alone by blocks (MatMulNBits). */
const QuantisationSchema = Type.Union([
  Type.Object({ kind: Type.Literal('calibrated'), bits: Type.Literal(8) }, { additionalProperties: false }),
  Type.Object(
    {
      kind: Type.Literal('weight-only'),
      bits: Type.Union([Type.Literal(4), Type.Literal(8)]),
      /** Weights that share a scale. */
      blockSize: Type.Integer({ minimum: 16 }),
      /** MatMulNBits' attribute: 1 keeps activations in float32, 4 makes them 8-bit by blocks of a row. */
      accuracyLevel: Type.Union([Type.Literal(1), Type.Literal(4)]),
    },
    { additionalProperties: false },
  ),
])

/** What a card says whatever the model is for. */
const COMMON = {
  format: Type.Literal(CARD_FORMAT),
  id: Type.String({ minLength: 1 }),
  precision: Type.Union([
    Type.Literal('fp32'),
    Type.Literal('fp16'),
    Type.Literal('int8'),
    Type.Literal('int4'),
  ]),
  quantisation: Type.Optional(QuantisationSchema),
  /** Id that fills the right of shorter rows; its value never matters under causal attention. */
  padId: Type.Integer({ minimum: 0 }),
  /** sha256 (hex) over model, weights, tokenizer, prompts, pooling and precision; format and kind stay out. */
  fingerprint: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  /** sha256 (hex) and bytes of each file of the folder, checked by whoever copies a model. */
  files: Type.Record(Type.String(), Type.Object({ bytes: Type.Integer(), sha256: Type.String() })),
  architecture: Type.Object({
    hiddenSize: Type.Integer(),
    layers: Type.Integer(),
    attentionHeads: Type.Integer(),
    keyValueHeads: Type.Integer(),
    intermediateSize: Type.Integer(),
    vocabularySize: Type.Integer(),
    parameters: Type.Integer(),
  }),
  licence: Type.String(),
  source: Type.String(),
  /** How it was trained: stages, data and their licences, notes; free text for people. */
  training: Type.Optional(Type.Unknown()),
  /** Measured figures, with the command that measured them. */
  quality: Type.Optional(Type.Unknown()),
}

/** One schema for each kind of model. */
export const CARD_SCHEMAS = {
  encoder: Type.Object(
    {
      kind: Type.Literal('encoder'),
      ...COMMON,
      dimensions: Type.Integer({ minimum: 1 }),
      prompts: Type.Object({ ebar: PromptSchema, ebae: PromptSchema }, { additionalProperties: false }),
      /** The embedding is the mean of the final states of the suffix's last `tokens` positions, L2-normalised. */
      pooling: Type.Object({ kind: Type.Literal('mean-of-last'), tokens: Type.Integer({ minimum: 1 }) }),
    },
    { additionalProperties: false },
  ),
  reranker: Type.Object(
    {
      kind: Type.Literal('reranker'),
      ...COMMON,
      template: PairTemplateSchema,
      /** What makes a number of the last token's state: a linear map of its own, or the LM head's row of a token. */
      head: Type.Union([
        Type.Object({ kind: Type.Literal('score') }, { additionalProperties: false }),
        Type.Object(
          { kind: Type.Literal('token'), token: Type.String(), id: Type.Integer({ minimum: 0 }) },
          { additionalProperties: false },
        ),
      ]),
    },
    { additionalProperties: false },
  ),
}
