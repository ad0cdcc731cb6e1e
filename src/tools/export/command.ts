import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { defineCommand } from '../../cli/command.ts'
import { choice, flag, type Given, required, text, withDefault } from '../../cli/option.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { invalidUsage, ToolError } from '../../cli/tool-error.ts'
import type { Card, CardKind } from '../../model/card.ts'
import { CARD_SCHEMAS } from '../../model/card-schema.ts'
import { readTexts } from './calibration/read-texts.ts'
import { gives, reads } from './describe-card.ts'
import { exportModel } from './export-model.ts'
import type { ExportOptions } from './export-options.ts'
import { MODEL_OPTIONS } from './model-options.ts'
import type { TemplateName } from './prompts/compiled.ts'
import { type Profile, profileNamed } from './prompts/profiles.ts'
import { checkKind, recognisedTemplate } from './reranking/recognise.ts'

const { precision, template, licence, source } = MODEL_OPTIONS

const OPTIONS = {
  out: required(text('FOLDER', 'the model folder to write, such as models/llara-mini')),
  ...MODEL_OPTIONS,
  precision: withDefault(precision, 'int8'),
  kind: choice(
    'K',
    Object.keys(CARD_SCHEMAS) as CardKind[],
    'what the model is for; default what the template says, else reranker for LlamaForSequenceClassification',
  ),
  template: {
    ...template,
    doc: `${template.doc}; default the profile's, else paper, rankllama for a classifier, yes-no for another reranker`,
  },
  licence: { ...licence, doc: `${licence.doc}; needed unless a profile has one` },
  source: { ...source, doc: `${source.doc}; default its folder's name, and the adapter's` },
  adapter: text(
    'FOLDER',
    "a LoRA adapter in peft's layout (adapter_config.json, adapter_model.safetensors), merged into CHECKPOINT " +
      'on the way',
  ),
  drift: text(
    'FILE',
    'texts to measure drift on, for the card: how far the vectors lie from those of the same model in fp32. One a ' +
      'line, or .jsonl with a "text" field, such as a corpus.jsonl (its first 2,000); takes 4 bytes of disk a ' +
      'parameter meanwhile, and as much memory. For the change in nDCG, see evaluate with --against',
  ),
  quality: text('FILE', 'a JSON object of figures measured elsewhere, for the card'),
  overwrite: flag('replace FOLDER if it exists'),
} as const

type ExportGiven = Given<typeof OPTIONS>

/** Turns a Hugging Face LLaMA checkpoint into a model folder. */
export const exportCommand = defineCommand({
  name: 'export',
  npm: 'npm run model:export --',
  about:
    'Makes a model folder of CHECKPOINT, a Hugging Face LLaMA folder: config.json, model.safetensors (or shards\n' +
    'with their index), tokenizer.json or tokenizer.model, tokenizer_config.json.',
  operands: { name: 'CHECKPOINT', noun: 'checkpoint folder' },
  options: OPTIONS,
  failure: 'Not exported.',
  async run({ given, operands: [checkpoint] }, terminal) {
    const options = await exportOptions(checkpoint!, given)
    const start = performance.now()
    const card = await exportModel({ ...options, onProgress: (step) => say(terminal.stderr, `  ${step}`) })
    tellModel(card, options.out, performance.now() - start, terminal)
  },
})

async function exportOptions(checkpoint: string, given: ExportGiven): Promise<ExportOptions<TemplateName>> {
  const { profile: profileName, kind, calibration, drift, quality, ...rest } = given
  const profile = profileName === undefined ? undefined : profileNamed(profileName)
  const licence = given.licence ?? profile?.licence
  if (licence === undefined)
    throw invalidUsage('--licence is missing: say which licence the weights are under.')
  const template =
    given.template ?? profile?.template ?? (await recognisedTemplate(checkpoint, given.adapter, kind))
  checkKind(template, kind)
  return {
    ...ofProfile(profile, template),
    source: [checkpoint, given.adapter ?? []]
      .flat()
      .map((path) => basename(resolve(path)))
      .join(' + '),
    ...rest,
    template,
    checkpoint,
    licence,
    ...(quality !== undefined && { quality: readQuality(quality) }),
    ...(drift !== undefined && { driftTexts: readTexts(drift) }),
    ...(calibration !== undefined && { calibrationTexts: readTexts(calibration) }),
  }
}

/** What a profile knows of its own template. */
function ofProfile(profile: Profile | undefined, template: TemplateName) {
  if (profile?.template !== template) return {}
  const { maxBodyTokens, expectedIds } = profile
  return { maxBodyTokens, expectedIds }
}

function readQuality(path: string): Record<string, unknown> {
  let quality: unknown
  try {
    quality = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new ToolError('INPUT_UNUSABLE', `--quality: ${path} cannot be read as JSON.`, {}, cause)
  }
  if (typeof quality === 'object' && quality !== null && !Array.isArray(quality)) {
    return quality as Record<string, unknown>
  }
  throw new ToolError('INPUT_UNUSABLE', `--quality: ${path} does not hold a JSON object.`)
}

function tellModel(card: Card<CardKind>, out: string, ms: number, { stdout }: Terminal): void {
  const { id, precision, quantisation, files, fingerprint, quality } = card
  const how = quantisation ? ` (${quantisation.kind})` : ''
  const seconds = (ms / 1000).toFixed(1)
  say(stdout, `${id}: ${gives(card)}, ${precision}${how}, written to ${out} in ${seconds} s`)
  for (const [name, { bytes }] of Object.entries(files)) {
    say(stdout, `  ${name.padEnd(16)} ${(bytes / 1e6).toFixed(1).padStart(9)} MB`)
  }
  for (const line of reads(card)) say(stdout, `  ${line}`)
  say(stdout, `  fingerprint ${fingerprint}`)
  if (quality !== undefined) say(stdout, `  quality ${JSON.stringify(quality)}`)
}
