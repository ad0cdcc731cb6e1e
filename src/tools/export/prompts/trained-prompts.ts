import { ToolError } from '../../../cli/tool-error.ts'
import type { Prompt } from '../../../encoder/encoder.ts'
import type { Template } from './templates.ts'

interface StatedPrompts {
  prefix?: unknown
  ebae_suffix?: unknown
  ebar_suffix?: unknown
}

/**
 * A checkpoint whose training.json says what prompts it was trained with must be exported with just those: a model
 * answers badly, and silently so, to any other wording.
 * @throws ToolError CHECKPOINT_UNUSABLE
 */
export function checkTrainedPrompts(training: unknown, { prompts }: Template): void {
  const stated = (training as { prompts?: StatedPrompts } | undefined)?.prompts
  if (!stated) return
  for (const name of ['ebae', 'ebar'] satisfies Prompt[]) {
    check(`${name} prefix`, stated.prefix, prompts[name].prefix)
    check(`${name} suffix`, stated[`${name}_suffix`], prompts[name].words)
  }
}

function check(what: string, trained: unknown, given: string): void {
  if (trained === undefined || trained === given) return
  const message =
    `training.json says the ${what} was ${JSON.stringify(trained)}; the template has ${JSON.stringify(given)}. ` +
    'Choose the template that the checkpoint was trained with (--template).'
  throw new ToolError('CHECKPOINT_UNUSABLE', message)
}
