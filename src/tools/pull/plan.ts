import { basename, join, resolve } from 'node:path'
import { readTexts } from '../export/calibration/read-texts.ts'
import type { ExportOptions } from '../export/export-options.ts'
import { compilePrompts } from '../export/prompts/compile-prompts.ts'
import { type Profile, profileNamed, profileOf } from '../export/prompts/profiles.ts'
import { readPromptSources } from '../export/prompts/prompt-sources.ts'
import { TEMPLATES } from '../export/prompts/templates.ts'
import type { LocalCheckpoint } from './checkpoint.ts'
import { invalid, type PullCommand } from './options.ts'

/** How a checkpoint becomes a model: the command's word, else the profile's. */
export type Plan = Omit<ExportOptions, 'checkpoint' | 'licence' | 'source'> & {
  licence?: string
  source?: string
}

/**
 * @param repository of the checkpoint, where it is known
 * @throws ServiceError INVALID_INPUT when nothing says which template the model was trained with
 */
export function planExport(
  command: PullCommand,
  repository: string | undefined,
): Plan & { profile?: Profile } {
  const profile = profileFor(command, repository)
  const template = command.template ?? profile?.template
  if (!template) {
    const names = Object.keys(TEMPLATES).join(', ')
    throw invalid(
      `${command.model} is none of the models known here: say which prompts it was trained with (--template ${names}).`,
    )
  }
  const known = profile?.template === template ? profile : undefined
  const out = command.out ?? join('models', profile?.name ?? basename(resolve(command.model)).toLowerCase())
  const maxBodyTokens = command.maxBodyTokens ?? known?.maxBodyTokens
  const licence = command.licence ?? profile?.licence
  return {
    out,
    precision: command.precision,
    template,
    overwrite: command.overwrite,
    ...(profile && { profile }),
    ...(known && { expectedPrompts: known.expectedPrompts }),
    ...(maxBodyTokens !== undefined && { maxBodyTokens }),
    ...(licence !== undefined && { licence }),
    ...(command.quantisation !== undefined && { quantisation: command.quantisation }),
    ...(command.source !== undefined && { source: command.source }),
    ...(command.id !== undefined && { id: command.id }),
    ...(command.calibration !== undefined && { calibrationTexts: readTexts(command.calibration) }),
  }
}

export function profileFor(command: PullCommand, repository: string | undefined): Profile | undefined {
  if (command.profile !== undefined) return profileNamed(command.profile)
  return repository === undefined ? undefined : profileOf(repository)
}

/** The licence for the card; before the weights are downloaded, so that nothing is downloaded in vain. */
export function licenceFor(plan: Plan, checkpoint: Pick<LocalCheckpoint, 'licence'>): string {
  const licence = plan.licence ?? checkpoint.licence
  if (licence !== undefined) return licence
  throw invalid('Nothing says which licence the weights are under: --licence is missing.')
}

/**
 * Compiles the prompts as the export will, from what is in the folder without weights.
 * @throws ServiceError MODEL_UNUSABLE when the tokenizer gives other ids than the model was trained with
 */
export async function checkPrompts(folder: string, plan: Plan): Promise<string[]> {
  const sources = await readPromptSources(folder)
  const { maxBodyTokens, expectedPrompts } = plan
  const { prompts } = await compilePrompts(sources, TEMPLATES[plan.template], maxBodyTokens, expectedPrompts)
  const verdict = expectedPrompts ? 'the ids it was trained with' : 'ids'
  return (['ebar', 'ebae'] as const).map((name) => {
    const { prefix, suffix, prefixIds, suffixIds } = prompts[name]
    return `${name}: ${prefix}{text}${suffix}  ${verdict}: [${prefixIds.join(' ')}] ... [${suffixIds.join(' ')}]`
  })
}
