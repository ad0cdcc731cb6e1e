import { basename, join, resolve } from 'node:path'
import { invalidUsage } from '../../cli/tool-error.ts'
import { readTexts } from '../export/calibration/read-texts.ts'
import { checkEmbeddedAdapter } from '../export/checkpoint/embedded-adapter.ts'
import { checkSentenceTransformers } from '../export/checkpoint/sentence-transformers.ts'
import type { ExportOptions } from '../export/export-options.ts'
import { compilePrompts } from '../export/prompts/compile-prompts.ts'
import { tokenizerNeeds } from '../export/prompts/expected-prompts.ts'
import { type Profile, profileNamed, profileOf } from '../export/prompts/profiles.ts'
import { readPromptSources } from '../export/prompts/prompt-sources.ts'
import { TEMPLATES } from '../export/prompts/templates.ts'
import type { LocalCheckpoint } from './checkpoint.ts'
import type { PullRequest } from './pull-options.ts'

/** How a checkpoint becomes a model: what the user says, else what the profile knows. */
export type Plan = Omit<ExportOptions, 'checkpoint' | 'licence' | 'source'> & {
  licence?: string
  source?: string
}

/**
 * @param repository of the checkpoint, where it is known
 * @throws ToolError INVALID_USAGE when nothing says which template the model was trained with
 */
export function planExport(request: PullRequest, repository: string | undefined): Plan {
  const profile = profileFor(request, repository)
  const template = request.template ?? profile?.template
  if (!template) {
    const names = Object.keys(TEMPLATES).join(', ')
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
  await checkSentenceTransformers(folder, TEMPLATES[plan.template])
  const { maxBodyTokens, expectedIds } = plan
  const sources = await readPromptSources(folder, tokenizerNeeds(TEMPLATES[plan.template], expectedIds))
  const { prompts } = await compilePrompts(sources, TEMPLATES[plan.template], maxBodyTokens, expectedIds)
  const verdict = expectedIds ? 'the ids it was trained with' : 'ids'
  const lines = (['ebar', 'ebae'] as const).map((name) => {
    const { prefix, suffix, prefixIds, suffixIds } = prompts[name]
    return `${name}: ${prefix}{text}${suffix}  ${verdict}: [${prefixIds.join(' ')}] ... [${suffixIds.join(' ')}]`
  })
  return [...sources.tokenizerNotes, ...lines]
}
