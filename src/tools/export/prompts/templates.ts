import type { Prompt } from '../../../encoder/encoder.ts'

/** The wording around a text, before it is tokenised. */
export interface TemplatePrompt {
  /** Before the body; a BOS goes before it where the model wants one. */
  prefix: string
  /** Between the body and the special tokens, spaces included. */
  words: string
  /** Special tokens at the end. All of them are pooled. */
  specials: string[]
}

export interface Template {
  prompts: Record<Prompt, TemplatePrompt>
  /** Body tokens the template was made for. */
  maxBodyTokens: number
}

function numberedSpecials(from: number): string[] {
  return Array.from({ length: 8 }, (_, i) => `<s${from + i}>`)
}

/**
 * The ways of prompting that are public: the LLaRA paper's, its released checkpoints', and RepLLaMA's. Spaces belong
 * to the words, the one after the text and the one before the special token too: the string between is tokenised by
 * itself as it stands here, in training and in service.
 * Wording: LLaRA (ACL 2024), FlagEmbedding's research/LLARA, and Tevatron's examples/repllama. RepLLaMA tokenises
 * `query: text` in one piece; the space is left to the tokenizer here, which puts one before a text of its own, so
 * that the ids are the same.
 */
export const TEMPLATES = {
  paper: {
    prompts: {
      ebae: { prefix: '', words: ' The original sentence: ', specials: ['</s>'] },
      ebar: { prefix: '', words: ' The next sentence: ', specials: ['</s>'] },
    },
    maxBodyTokens: 512,
  },
  released: {
    prompts: {
      ebae: {
        prefix: '"',
        words: '", summarize the above passage within eight words: ',
        specials: numberedSpecials(1),
      },
      ebar: {
        prefix: '"',
        words: '", predict the following passage within eight words: ',
        specials: numberedSpecials(9),
      },
    },
    maxBodyTokens: 512,
  },
  repllama: {
    prompts: {
      ebae: { prefix: 'passage:', words: '', specials: ['</s>'] },
      ebar: { prefix: 'query:', words: '', specials: ['</s>'] },
    },
    maxBodyTokens: 507,
  },
} satisfies Record<string, Template>

export type PromptTemplateName = keyof typeof TEMPLATES
