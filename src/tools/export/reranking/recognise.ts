import { invalidUsage } from '../../../cli/tool-error.ts'
import type { CardKind } from '../../../model/card.ts'
import { optionalJson } from '../checkpoint/json-files.ts'
import type { TemplateName } from '../prompts/compiled.ts'
import { isPairTemplate } from './pair-templates.ts'

/**
 * The template of a checkpoint for which neither the user nor a profile names one. A classifier is a reranker as RankLLaMA
 * is; any other LLaMA is an encoder, unless the user says that it is a reranker: then it answers Yes or No.
 *
 * @param adapter folder of a LoRA adapter that is merged into it, which may bring the classifier's head
 * @param kind what the user says that the model is for
 */
export async function recognisedTemplate(
  checkpoint: string,
  adapter: string | undefined,
  kind: CardKind | undefined,
): Promise<TemplateName> {
  if (kind === 'encoder') return 'paper'
  if (await isClassifier(checkpoint, adapter)) return 'rankllama'
  return kind === 'reranker' ? 'yes-no' : 'paper'
}

/** @throws ToolError INVALID_USAGE where a template is not for the kind of model that was asked for */
export function checkKind(template: TemplateName, kind: CardKind | undefined): void {
  const own = isPairTemplate(template) ? 'reranker' : 'encoder'
  if (kind === undefined || kind === own) return
  throw invalidUsage(`--template ${template} makes a model of kind ${own}, and --kind says ${kind}.`)
}

async function isClassifier(checkpoint: string, adapter: string | undefined): Promise<boolean> {
  const classes = (await optionalJson(checkpoint, 'config.json'))?.['architectures']
  if ([classes].flat().includes('LlamaForSequenceClassification')) return true
  if (adapter === undefined) return false
  return (await optionalJson(adapter, 'adapter_config.json'))?.['task_type'] === 'SEQ_CLS'
}
