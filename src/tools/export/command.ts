/** Turns a Hugging Face LLaMA checkpoint into a model folder: `npm run model:export -- --help`. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ServiceError } from '../../errors.ts'
import { readTexts } from './calibration/read-texts.ts'
import { exportModel } from './export-model.ts'
import type { ExportOptions } from './export-options.ts'
import { type Profile, profileNamed } from './prompts/profiles.ts'
import { TEMPLATES, type TemplateName } from './prompts/templates.ts'
import { QUANTISATIONS } from './quantisation/scheme.ts'

const HELP = `npm run model:export -- CHECKPOINT --out FOLDER --licence TEXT [options]

CHECKPOINT is a Hugging Face LLaMA folder: config.json, model.safetensors (or shards with their
index), tokenizer.json, tokenizer_config.json.

  --out FOLDER          the model folder to write, such as models/llara-mini
  --licence TEXT        the licence the weights are under
  --precision P         int8 (for CPU, default), int4 (for CPU, large models), fp16 (for CUDA), fp32
  --quantisation Q      how int8 is made: calibrated (activations in 8 bits too: fastest; runs the model
                        in fp32 once, so 4 bytes of memory a parameter) or weight-only (weights in blocks
                        of 32, nothing to calibrate); default calibrated up to 1e9 parameters. int4 is
                        always weight-only
  --profile NAME        prompts, limits and licence of a known model, such as llara-passage; the
                        tokenizer must then give the prompts the ids the model was trained with
  --template T          paper (default): one </s>; released: eight special tokens a side,
                        for the public LLARA checkpoints; repllama: query: and passage:
  --adapter FOLDER      a LoRA adapter in peft's layout (adapter_config.json,
                        adapter_model.safetensors), merged into CHECKPOINT on the way
  --id NAME             the model's name; default the name of FOLDER
  --source TEXT         where the checkpoint comes from; default its folder's name,
                        and the adapter's
  --max-body-tokens N   longest text, prompt not counted; default 512, or what the model holds
  --calibration FILE    texts for int8, one a line, or .jsonl with a "text" field;
                        default a built-in list of English sentences
  --drift FILE          texts to measure on how far the vectors drift from fp32, for the card: one a line,
                        or .jsonl with a "text" field, such as a corpus.jsonl (its first 2,000); takes
                        4 bytes of disk a parameter meanwhile, and as much memory to run it in fp32.
                        The change in nDCG: npm run evaluate -- SET --model FOLDER --against FP32_FOLDER
  --quality FILE        a JSON object of figures measured elsewhere, for the card
  --overwrite           replace FOLDER if it exists
  --help                this text
`

function readOptions(): ExportOptions | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      licence: { type: 'string' },
      precision: { type: 'string', default: 'int8' },
      quantisation: { type: 'string' },
      profile: { type: 'string' },
      template: { type: 'string' },
      adapter: { type: 'string' },
      id: { type: 'string' },
      source: { type: 'string' },
      'max-body-tokens': { type: 'string' },
      calibration: { type: 'string' },
      drift: { type: 'string' },
      quality: { type: 'string' },
      overwrite: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const [checkpoint, ...rest] = positionals
  const { out, id, adapter } = values
  const profile = values.profile === undefined ? undefined : profileNamed(values.profile)
  const licence = values.licence ?? profile?.licence
  if (!checkpoint || rest.length > 0) throw invalid('Name one checkpoint folder.')
  if (!out) throw invalid('--out is missing.')
  if (!licence) throw invalid('--licence is missing: say under which licence the weights are.')
  const tokens = values['max-body-tokens']
  if (tokens !== undefined && !/^[1-9]\d{0,5}$/.test(tokens))
    throw invalid('--max-body-tokens must be a number from 1.')
  const names = Object.keys(TEMPLATES) as TemplateName[]
  return {
    ...ofProfile(profile, oneOf('template', values.template ?? profile?.template ?? 'paper', names)),
    checkpoint,
    out,
    licence,
    precision: oneOf('precision', values.precision, ['int8', 'int4', 'fp16', 'fp32']),
    ...(values.quantisation !== undefined && {
      quantisation: oneOf('quantisation', values.quantisation, QUANTISATIONS),
    }),
    source: values.source ?? [checkpoint, adapter ?? []].flat().map(folderName).join(' + '),
    overwrite: values.overwrite,
    ...(id !== undefined && { id }),
    ...(adapter !== undefined && { adapter }),
    ...(tokens !== undefined && { maxBodyTokens: Number(tokens) }),
    ...(values.quality !== undefined && { quality: readQuality(values.quality) }),
    ...(values.drift !== undefined && { driftTexts: readTexts(values.drift) }),
    ...(values.calibration !== undefined && { calibrationTexts: readTexts(values.calibration) }),
  }
}

/** What a profile knows of its own template. */
function ofProfile(profile: Profile | undefined, template: TemplateName) {
  if (profile?.template !== template) return { template }
  const { maxBodyTokens, expectedPrompts } = profile
  return { template, maxBodyTokens, expectedPrompts }
}

function folderName(path: string): string {
  return path.split(/[/\\]/).filter(Boolean).at(-1)!
}

function readQuality(path: string): Record<string, unknown> {
  try {
    const quality: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof quality === 'object' && quality !== null && !Array.isArray(quality)) {
      return quality as Record<string, unknown>
    }
  } catch {
    throw invalid(`--quality: ${path} cannot be read as JSON.`)
  }
  throw invalid(`--quality: ${path} does not hold a JSON object.`)
}

function oneOf<Name extends string>(option: string, value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value)
  if (!found) throw invalid(`--${option} is ${value}; it can be ${names.join(', ')}.`)
  return found
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `${message} See --help.`)
}

async function main(): Promise<void> {
  const options = readOptions()
  if (!options) {
    console.log(HELP)
    return
  }
  const start = performance.now()
  const card = await exportModel({ ...options, onProgress: (step) => console.error(`  ${step}`) })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  const how = card.quantisation ? ` (${card.quantisation.kind})` : ''
  console.log(
    `${card.id}: ${card.dimensions} dimensions, ${card.precision}${how}, written to ${options.out} in ${seconds} s`,
  )
  for (const [name, { bytes }] of Object.entries(card.files)) {
    console.log(`  ${name.padEnd(16)} ${(bytes / 1e6).toFixed(1).padStart(9)} MB`)
  }
  for (const [name, { prefix, suffix, maxBodyTokens }] of Object.entries(card.prompts)) {
    console.log(`  ${name}: ${prefix}{text of up to ${maxBodyTokens} tokens}${suffix}`)
  }
  console.log(`  fingerprint ${card.fingerprint}`)
  if (card.quality !== undefined) console.log(`  quality ${JSON.stringify(card.quality)}`)
}

main().catch((error: unknown) => {
  const told =
    error instanceof ServiceError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  console.error(told ? `Not exported. ${(error as Error).message}` : error)
  process.exitCode = 1
})
