import { basename, join, resolve } from 'node:path'
import { invalidUsage } from '../../cli/tool-error.ts'
import { readTexts } from '../export/calibration/read-texts.ts'
import { checkEmbeddedAdapter } from '../export/checkpoint/embedded-adapter.ts'
import type { ExportOptions } from '../export/export-options.ts'
import {
  type Compiled,
  checkFolder,
  checkpointNeeds,
  compile,
  TEMPLATE_NAMES,
  type TemplateName,
} from '../export/prompts/compiled.ts'
import { type Profile, profileNamed, profileOf, refuseOthers } from '../export/prompts/profiles.ts'
import { readPromptSources } from '../export/prompts/prompt-sources.ts'
import type { LocalCheckpoint } from './checkpoint.ts'
import type { PullRequest } from './pull-options.ts'

/** How a checkpoint becomes a model: what the user says, else what the profile knows. */
export type Plan = Omit<ExportOptions<TemplateName>, 'checkpoint' | 'licence' | 'source'> & {
  licence?: string
  source?: string
}

/**
 * @param repository of the checkpoint, where it is known
 * @throws ToolError INVALID_USAGE when nothing says which template the model was trained with; CHECKPOINT_UNUSABLE for a
 *   known model of another family
 */
export function planExport(request: PullRequest, repository: string | undefined): Plan {
  if (repository !== undefined) refuseOthers(repository)
  const profile = profileFor(request, repository)
  const template = request.template ?? profile?.template
  if (!template) {
    const names = TEMPLATE_NAMES.join(', ')
    throw invalidUsage(
      `${request.model} is not one of the known models. Say which prompts it was trained with: --template ${names}.`,
    )
  }
  const known = profile?.template === template ? profile : undefined
  const { precision, overwrite, quantisation, source, id, calibration } = request
  const maxBodyTokens = request.maxBodyTokens ?? known?.maxBodyTokens
  const licence = request.licence ?? profile?.licence
  return {
    out: request.out ?? join('models', profile?.name ?? basename(resolve(request.model)).toLowerCase()),
    precision,
    template,
    overwrite,
    ...(known && { expectedIds: known.expectedIds }),
    ...(maxBodyTokens !== undefined && { maxBodyTokens }),
    ...(licence !== undefined && { licence }),
    ...(quantisation !== undefined && { quantisation }),
    ...(source !== undefined && { source }),
    ...(id !== undefined && { id }),
    ...(calibration !== undefined && { calibrationTexts: readTexts(calibration) }),
  }
}

export function profileFor(request: PullRequest, repository: string | undefined): Profile | undefined {
  if (request.profile !== undefined) return profileNamed(request.profile)
  return repository === undefined ? undefined : profileOf(repository)
}

/** The licence for the card; before the weights are downloaded, so that nothing is downloaded in vain. */
export function licenceFor(plan: Plan, checkpoint: Pick<LocalCheckpoint, 'licence'>): string {
  const licence = plan.licence ?? checkpoint.licence
  if (licence !== undefined) return licence
  throw invalidUsage(
    'Neither the hub nor a profile says which licence the weights are under. Say it with --licence TEXT.',
  )
}

/**
 * Compiles the prompts as the export will, from what is in the folder without weights.
 * @throws ToolError CHECKPOINT_UNUSABLE when the tokenizer gives other ids than the model was trained with, or the folder is
 *   of another kind than a plain LLaMA with that template
 */
export async function checkPrompts(folder: string, plan: Plan): Promise<string[]> {
  checkEmbeddedAdapter(folder)
  await checkFolder(folder, plan.template)
  const sources = await readPromptSources(folder, checkpointNeeds(plan).tokenizer)
  const compiled = await compile(sources, plan)
  return [...sources.tokenizerNotes, ...promptLines(compiled, plan)]
}

function promptLines(compiled: Compiled, { expectedIds }: Plan): string[] {
  if (compiled.kind === 'reranker') {
    const { shown, beginIds, betweenIds, endIds } = compiled.template
    const [begin, between, end] = [beginIds, betweenIds, endIds].map((ids) => `[${ids.join(' ')}]`)
    return [`reads ${JSON.stringify(shown)}  ids: ${begin} query ${between} text ${end}`]
  }
  const { prompts } = compiled
  const verdict = expectedIds?.prompts ? 'the ids it was trained with' : 'ids'
  return (['ebar', 'ebae'] as const).map((name) => {
    const { prefix, suffix, prefixIds, suffixIds } = prompts[name]
    return `${name}: ${prefix}{text}${suffix}  ${verdict}: [${prefixIds.join(' ')}] ... [${suffixIds.join(' ')}]`
  })
}
