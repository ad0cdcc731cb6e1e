/** How a query and a text are put to a reranker, before anything is tokenised. */
export interface PairWording {
  /** Words before the query and before the text, tokenised together with what follows them. */
  query: string
  text: string
  /** `always`: the BOS comes first; `own`: where the tokenizer puts one. */
  bos: 'always' | 'own'
  /**
   * What is between the two: another BOS, words, or nothing where training tokenised all in one string. Then the text's
   * words may need a space before them, which depends on the tokenizer.
   */
  between: { bos: true } | { words: string } | { joined: true }
  /** Words at the end, each tokenised apart, and whether the EOS follows. */
  end: readonly string[]
  eos: boolean
  /** What makes the score of the last state: a linear map of the checkpoint, or the LM head's row of a word's first token. */
  head: { kind: 'score' } | { kind: 'token'; word: string }
  limits: PairLimits
}

interface PairLimits {
  /** Tokens of the text part, the words before it included. */
  maxTextTokens: number
  /** Of the query part, for so many of the text. */
  maxQueryTokens(maxTextTokens: number): number
  /** Of a row: `maxTextTokens` and so many. */
  more(ids: { begin: number; between: number; end: number; query: number }): number
}

const YES_OR_NO =
  "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a prediction of either 'Yes' or 'No'."

const threeQuarters = (tokens: number) => Math.max(1, Math.floor((tokens * 3) / 4))

/**
 * Wordings of public rerankers of the LLaMA family, with what their reference code cuts.
 *
 * - `rankllama`: the released RankLLaMA checkpoints (Tevatron's examples/rankllama): each part begins with a BOS, there is no
 *   EOS. A query has 32 tokens; a passage 164 less 3, which a profile says, as documents had more.
 * - `rankllama-eos`: as the paper writes it ("Fine-Tuning LLaMA for Multi-Stage Text Retrieval", 2023), and Tevatron's later
 *   reranker with `append_eos_token`: one string, then `</s>`. All of it has 512 tokens.
 * - `yes-no`: the LLM rerankers of LLaRA's authors (FlagEmbedding): the logit of `Yes` after a question. A passage has 512
 *   tokens, a query three quarters of that, both together 512 and what the separators and the question take twice over.
 */
export const PAIR_TEMPLATES = {
  rankllama: {
    query: 'query: ',
    text: 'document: ',
    bos: 'always',
    between: { bos: true },
    end: [],
    eos: false,
    head: { kind: 'score' },
    limits: {
      maxTextTokens: 512,
      maxQueryTokens: () => 32,
      more: ({ begin, between, end, query }) => begin + query + between + end,
    },
  },
  'rankllama-eos': {
    query: 'query: ',
    text: 'document: ',
    bos: 'own',
    between: { joined: true },
    end: [],
    eos: true,
    head: { kind: 'score' },
    limits: { maxTextTokens: 512, maxQueryTokens: threeQuarters, more: () => 0 },
  },
  'yes-no': {
    query: 'A: ',
    text: 'B: ',
    bos: 'always',
    between: { words: '\n' },
    end: ['\n', YES_OR_NO],
    eos: false,
    head: { kind: 'token', word: 'Yes' },
    limits: { maxTextTokens: 512, maxQueryTokens: threeQuarters, more: ({ end }) => 2 * end },
  },
} satisfies Record<string, PairWording>

export type PairTemplateName = keyof typeof PAIR_TEMPLATES

export function isPairTemplate(name: string): name is PairTemplateName {
  return Object.hasOwn(PAIR_TEMPLATES, name)
}
