import { parseArgs } from 'node:util'
import { ServiceError } from '../../errors.ts'
import type { Card } from '../../model/card.ts'
import { TEMPLATES, type TemplateName } from '../export/prompts/templates.ts'
import { QUANTISATIONS, type Quantisation } from '../export/quantisation/scheme.ts'

export const HELP = `npm run model:pull -- REPOSITORY|FOLDER [options]

Downloads a checkpoint or LoRA adapter and makes a model folder of it. REPOSITORY is one of the model hub's,
such as BAAI/LLARA-passage; FOLDER is a checkpoint that is here already. A pull that was cut off goes on with
the same command.

  --precision P         int8 (for CPU, default), int4 (for CPU, smaller), fp16 (for CUDA), fp32
  --quantisation Q      how int8 is made, calibrated or weight-only: see npm run model:export -- --help
  --out FOLDER          the model folder to write; default models/<name>
  --overwrite           replace it if it exists
  --download-only       stop when the checkpoint is here
  --keep-checkpoint     do not delete the checkpoint when the model is written
  --checkpoint FOLDER   where the checkpoint goes; default checkpoints/<owner>--<name>, which is deleted
                        when the model is written; a folder you name is not
  --revision R          branch, tag or commit; default main
  --base REPO|FOLDER    base model of an adapter; default what its profile or adapter_config.json says
  --base-revision R     its revision; default main
  --mirror URL          another hub that speaks the same language; default HF_ENDPOINT, or huggingface.co
  --token-file FILE     a file with your token, for gated repositories; default HF_TOKEN

Known repositories bring their prompts, limits and licence; for others, and to say otherwise:

  --profile NAME        take those of a known model, such as llara-passage
  --template T          paper, released or repllama
  --licence TEXT        the licence the weights are under; default what the hub says
  --id NAME, --source TEXT, --max-body-tokens N, --calibration FILE: as for npm run model:export
  --help                this text
`

const PRECISIONS: readonly Card['precision'][] = ['int8', 'int4', 'fp16', 'fp32']

export interface PullCommand {
  /** Repository or folder. */
  model: string
  precision: Card['precision']
  quantisation?: Quantisation
  out?: string
  overwrite: boolean
  downloadOnly: boolean
  keepCheckpoint: boolean
  checkpoint?: string
  revision?: string
  base?: string
  baseRevision?: string
  mirror?: string
  tokenFile?: string
  profile?: string
  template?: TemplateName
  licence?: string
  id?: string
  source?: string
  maxBodyTokens?: number
  calibration?: string
}

const TEXTS = {
  out: 'out',
  checkpoint: 'checkpoint',
  revision: 'revision',
  base: 'base',
  'base-revision': 'baseRevision',
  mirror: 'mirror',
  'token-file': 'tokenFile',
  profile: 'profile',
  licence: 'licence',
  id: 'id',
  source: 'source',
  calibration: 'calibration',
} as const

/** @returns nothing where help was asked for */
export function readCommand(args?: string[]): PullCommand | undefined {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values, positionals } = parseArgs({
    ...(args && { args }),
    allowPositionals: true,
    options: {
      ...(Object.fromEntries(Object.keys(TEXTS).map((name) => [name, text])) as Record<
        keyof typeof TEXTS,
        typeof text
      >),
      precision: { type: 'string', default: 'int8' },
      template: text,
      quantisation: text,
      'max-body-tokens': text,
      overwrite: flag,
      'download-only': flag,
      'keep-checkpoint': flag,
      help: flag,
    },
  })
  if (values.help) return undefined
  const [model, ...rest] = positionals
  if (!model || rest.length > 0) throw invalid('Name one repository or folder.')
  const tokens = values['max-body-tokens']
  if (tokens !== undefined && !/^[1-9]\d{0,5}$/.test(tokens)) {
    throw invalid('--max-body-tokens must be a number from 1.')
  }
  const texts = Object.entries(TEXTS).flatMap(([option, name]) => {
    const value = values[option as keyof typeof TEXTS]
    if (value?.trim() === '') throw invalid(`--${option} is empty.`)
    return value === undefined ? [] : [[name, value]]
  })
  return {
    ...(Object.fromEntries(texts) as Partial<Record<(typeof TEXTS)[keyof typeof TEXTS], string>>),
    model,
    precision: oneOf('precision', values.precision, PRECISIONS),
    overwrite: values.overwrite,
    downloadOnly: values['download-only'],
    keepCheckpoint: values['keep-checkpoint'],
    ...(values.quantisation !== undefined && {
      quantisation: oneOf('quantisation', values.quantisation, QUANTISATIONS),
    }),
    ...(values.template !== undefined && {
      template: oneOf('template', values.template, Object.keys(TEMPLATES) as TemplateName[]),
    }),
    ...(tokens !== undefined && { maxBodyTokens: Number(tokens) }),
  }
}

function oneOf<Name extends string>(option: string, value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value)
  if (!found) throw invalid(`--${option} is ${value}; it can be ${names.join(', ')}.`)
  return found
}

export function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `${message} See --help.`)
}
