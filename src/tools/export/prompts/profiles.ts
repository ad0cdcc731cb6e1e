import { ToolError } from '../../../cli/tool-error.ts'
import { LLAMA2_BODIES, LLAMA2_QUERIES } from '../tokenizer/known-bodies.ts'
import type { TemplateName } from './compiled.ts'
import type { ExpectedIds } from './expected-prompts.ts'

/** What is known of a public model: how its texts are put to it, and under which terms. */
export interface Profile {
  /** For `--profile`, and the model's name when it is exported. */
  name: string
  repository: string
  template: TemplateName
  maxBodyTokens: number
  licence: string
  /** Repository of the model it was made from. */
  base: string
  /** The repository is a LoRA adapter, to be merged into its base. */
  adapter: boolean
  /** For people. */
  notes: string
  expectedIds: ExpectedIds
}

/** `"` before the text; BOS and the words as LLaMA-2's tokenizer gives them. */
const LLARA_PROMPTS: NonNullable<ExpectedIds['prompts']> = {
  ebae: {
    prefixIds: [1, 376],
    wordIds: [9162, 19138, 675, 278, 2038, 13382, 2629, 9475, 3838, 29901, 29871],
  },
  ebar: {
    prefixIds: [1, 376],
    wordIds: [9162, 8500, 278, 1494, 13382, 2629, 9475, 3838, 29901, 29871],
  },
}

/** BOS, `passage` or `query`, `:`. */
const REPLLAMA_PROMPTS: NonNullable<ExpectedIds['prompts']> = {
  ebae: { prefixIds: [1, 13382, 29901], wordIds: [] },
  ebar: { prefixIds: [1, 2346, 29901], wordIds: [] },
}

const LLAMA2 = 'meta-llama/Llama-2-7b-hf'
const LLAMA2_ADAPTER = "Llama 2 Community License (base model); the adapter's own is on its repository's card"

function llara(kind: string, notes: string): Profile {
  return {
    name: `llara-${kind}`,
    repository: `BAAI/LLARA-${kind}`,
    template: 'released',
    maxBodyTokens: 512,
    licence: 'MIT; the Llama 2 Community License of its base model applies besides',
    base: LLAMA2,
    adapter: false,
    notes,
    expectedIds: { prompts: LLARA_PROMPTS, bodies: LLAMA2_BODIES },
  }
}

/**
 * RepLLaMA leaves 512 tokens for a passage and 2048 for a document, and takes BOS, prompt and EOS off them.
 * Sources: Tevatron's examples/repllama, and "Fine-Tuning LLaMA for Multi-Stage Text Retrieval" (2023).
 */
function repllama(kind: string, maxBodyTokens: number, notes: string): Profile {
  return {
    name: `repllama-${kind}`,
    repository: `castorini/repllama-v1-7b-lora-${kind}`,
    template: 'repllama',
    maxBodyTokens,
    licence: LLAMA2_ADAPTER,
    base: LLAMA2,
    adapter: true,
    notes,
    expectedIds: { prompts: REPLLAMA_PROMPTS, bodies: LLAMA2_BODIES },
  }
}

/**
 * RankLLaMA cuts queries at 32 tokens, passages at 164 and documents at 2048; 3 of the text's are kept for special tokens.
 * Sources: Tevatron's examples/rankllama, and the same paper.
 */
function rankllama(kind: string, maxBodyTokens: number, notes: string): Profile {
  return {
    name: `rankllama-${kind}`,
    repository: `castorini/rankllama-v1-7b-lora-${kind}`,
    template: 'rankllama',
    maxBodyTokens,
    licence: LLAMA2_ADAPTER,
    base: LLAMA2,
    adapter: true,
    notes,
    expectedIds: { bodies: [...LLAMA2_BODIES, ...LLAMA2_QUERIES] },
  }
}

export const PROFILES: readonly Profile[] = [
  llara('passage', 'Fine-tuned on MS MARCO passages, hard negatives from a dense retriever.'),
  llara('beir', 'Fine-tuned on MS MARCO passages, hard negatives from BM25.'),
  llara('document', 'Fine-tuned on MS MARCO documents.'),
  llara('pretrain', 'Adapted on Wikipedia and not fine-tuned: a beginning for training, weak at search.'),
  repllama('passage', 507, 'LoRA on LLaMA-2, fine-tuned on MS MARCO passages.'),
  repllama('doc', 2043, 'LoRA on LLaMA-2, fine-tuned on MS MARCO documents.'),
  rankllama('passage', 161, 'A reranker: LoRA on LLaMA-2, fine-tuned on MS MARCO passages.'),
  rankllama('doc', 2045, 'A reranker: LoRA on LLaMA-2, fine-tuned on MS MARCO documents.'),
]

/** Rerankers that are no LLaMA, and what they are. */
const OTHERS: Record<string, string> = {
  'baai/bge-reranker-v2-gemma': 'a Gemma',
  'baai/bge-reranker-v2-minicpm-layerwise': 'a MiniCPM with code of its own, read at several layers',
  'baai/bge-reranker-v2.5-gemma2-lightweight': 'a Gemma 2 with code of its own, read at several layers',
  'baai/bge-reranker-v2-m3': 'an XLM-RoBERTa',
}

/** @throws ToolError CHECKPOINT_UNUSABLE for a known model that cannot be exported, before any of it is downloaded */
export function refuseOthers(repository: string): void {
  const what = OTHERS[repository.toLowerCase()]
  if (what === undefined) return
  const message = `${repository} is ${what}; only models of the LLaMA family can be exported.`
  throw new ToolError('CHECKPOINT_UNUSABLE', message)
}

/** The profile of a repository, however its name is capitalised. */
export function profileOf(repository: string): Profile | undefined {
  const wanted = repository.toLowerCase()
  return PROFILES.find((profile) => profile.repository.toLowerCase() === wanted)
}

/** @throws ToolError INVALID_USAGE naming those there are */
export function profileNamed(name: string): Profile {
  const profile = profileOf(name) ?? PROFILES.find((each) => each.name === name.toLowerCase())
  if (profile) return profile
  const names = PROFILES.map((each) => each.name).join(', ')
  throw new ToolError('INVALID_USAGE', `There is no profile ${name}; there are ${names}.`)
}
