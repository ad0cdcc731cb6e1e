import { rowTokensMax } from '../../../model/prompt.ts'
import type { Checkpoint, CheckpointNeeds } from '../checkpoint/checkpoint.ts'
import { checkSentenceTransformers } from '../checkpoint/sentence-transformers.ts'
import type { OutputHead } from '../llama/output-head.ts'
import { type CompiledPair, compilePair } from '../reranking/compile-pair.ts'
import { headRow } from '../reranking/head-row.ts'
import { isPairTemplate, PAIR_TEMPLATES, type PairTemplateName } from '../reranking/pair-templates.ts'
import { type CompiledPrompts, compilePrompts, type PromptSources } from './compile-prompts.ts'
import { type ExpectedIds, tokenizerNeeds } from './expected-prompts.ts'
import { type PromptTemplateName, TEMPLATES } from './templates.ts'

/** How texts are put to a model: an encoder's prompts, or a reranker's query and text. */
export type TemplateName = PromptTemplateName | PairTemplateName
export type Compiled = CompiledPrompts | CompiledPair

export const TEMPLATE_NAMES = [...Object.keys(TEMPLATES), ...Object.keys(PAIR_TEMPLATES)] as TemplateName[]

export interface TemplateChoice {
  template: TemplateName
  maxBodyTokens?: number
  expectedIds?: ExpectedIds
}

/** What opening the checkpoint needs to know. */
export function checkpointNeeds({ template, expectedIds }: TemplateChoice): CheckpointNeeds {
  if (!isPairTemplate(template)) return { tokenizer: tokenizerNeeds(TEMPLATES[template], expectedIds) }
  const { kind } = PAIR_TEMPLATES[template].head
  const tokenizer = { bodies: expectedIds?.bodies ?? [] }
  return { tokenizer, head: kind === 'score' ? 'score' : 'lm_head' }
}

/**
 * Refuses a folder that says it makes its vectors another way; rerankers make none.
 * @throws ToolError CHECKPOINT_UNUSABLE
 */
export async function checkFolder(folder: string, template: TemplateName): Promise<void> {
  if (!isPairTemplate(template)) await checkSentenceTransformers(folder, TEMPLATES[template])
}

/** @throws ToolError CHECKPOINT_UNUSABLE when the template does not fit the tokenizer or the model */
export function compile(sources: PromptSources, choice: TemplateChoice): Promise<Compiled> {
  const { template, maxBodyTokens, expectedIds } = choice
  if (isPairTemplate(template)) {
    return compilePair(sources, PAIR_TEMPLATES[template], maxBodyTokens, expectedIds?.bodies)
  }
  return compilePrompts(sources, TEMPLATES[template], maxBodyTokens, expectedIds)
}

/** Tokens of the longest row. */
export function longestRow(compiled: Compiled): number {
  return compiled.kind === 'encoder' ? rowTokensMax(compiled) : compiled.template.maxTokens
}

/** What the ONNX model makes of the last states. */
export async function outputHead(checkpoint: Checkpoint, compiled: Compiled): Promise<OutputHead> {
  if (compiled.kind === 'encoder') return { kind: 'embeddings', pooledTokens: compiled.pooledTokens }
  const { head } = compiled
  return { kind: 'scores', row: await headRow(checkpoint, head.kind === 'score' ? 0 : head.id) }
}
