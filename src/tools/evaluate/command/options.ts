import { parseArgs } from 'node:util'
import { ServiceError } from '../../../errors.ts'
import type { DeviceChoice } from '../../../inference/device.ts'

export const HELP = `Usage: npm run evaluate -- <BEIR folder> [<BEIR folder> ...] [options]

Stores a judged set (corpus.jsonl, queries.jsonl, qrels.tsv or qrels/test.tsv) with the service's own code in a
throw-away store and asks every judged query twice: every document scored (exact: the model alone), and as users'
searches are answered (hnsw: through the graph). What the figures mean: docs/evaluation.md.

  --split NAME        judgements from qrels/NAME.tsv
  --queries N         only the first N judged queries
  --ef N              breadth of the graph walk (default: the store's)
  --bm25              BM25's figures beside the model's (k1 0.9, b 0.4, Porter's stemmer)
  --prompts           what the prompts are worth: right, swapped, the same on both sides; embeds the texts once more
  --against MODEL     drift from another model of the same vectors, e.g. int8 from fp32: cosines, change in nDCG@10
  --sample N          documents embedded for --prompts and --against at most, judged ones apart (default 20000)

In this process:
  --model NAME|PATH   model folder (default llara-mini)
  --device DEVICE     auto, cpu or cuda (default auto)
  --write-card        put the figures into the model's card as well

Or against a running service, which must be empty; what was stored is removed afterwards:
  --url URL           e.g. http://127.0.0.1:8080
  --api-key-file F    a file that holds a key of scope write
  --keep              leave the documents there, under the set's own ids
  --use-existing      store nothing, ask only: the service holds the set already, under the set's ids

Output:
  --json              one JSON object per set on standard output, nothing else
  --markdown          one table of all sets, to paste into a README
  --out FILE          the JSON objects as a list into FILE as well, after every set
`

/** @throws ServiceError INVALID_INPUT; TypeError (of parseArgs) for an option that does not exist */
export function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      split: { type: 'string' },
      queries: { type: 'string' },
      ef: { type: 'string' },
      bm25: { type: 'boolean', default: false },
      prompts: { type: 'boolean', default: false },
      against: { type: 'string' },
      sample: { type: 'string' },
      model: { type: 'string' },
      device: { type: 'string' },
      'write-card': { type: 'boolean', default: false },
      url: { type: 'string' },
      'api-key-file': { type: 'string' },
      keep: { type: 'boolean', default: false },
      'use-existing': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const options = {
    ...values,
    folders: positionals,
    device: deviceChoice(values.device),
    queries: positiveInteger('--queries', values.queries),
    ef: positiveInteger('--ef', values.ef),
    sample: positiveInteger('--sample', values.sample),
  }
  refuseContradictions(options, values.device)
  return options
}

export type Options = ReturnType<typeof readOptions>

type Given = Pick<Options, 'json' | 'markdown' | 'keep' | 'folders' | 'queries' | 'write-card'> &
  Partial<Pick<Options, 'url' | 'model' | 'against' | 'api-key-file' | 'use-existing'>>

function refuseContradictions(given: Given, device: string | undefined): void {
  const local = { '--model': given.model, '--device': device, '--against': given.against }
  for (const [name, value] of Object.entries({
    ...local,
    '--write-card': given['write-card'] || undefined,
  })) {
    if (given.url !== undefined && value !== undefined) throw invalid(`${name} does not go with --url`)
  }
  const remote = { '--api-key-file': given['api-key-file'], '--keep': given.keep || undefined }
  for (const [name, value] of Object.entries({
    ...remote,
    '--use-existing': given['use-existing'] || undefined,
  })) {
    if (given.url === undefined && value !== undefined) throw invalid(`${name} needs --url`)
  }
  if (given.json && given.markdown) throw invalid('--json and --markdown exclude each other')
  if (given.keep && given['use-existing'])
    throw invalid('--use-existing stores nothing that --keep could leave')
  if (given.keep && given.folders.length > 1)
    throw invalid('--keep takes one folder: the next would mix with it')
  if (given['write-card'] && given.queries) throw invalid('--write-card takes whole sets, so not --queries')
}

function deviceChoice(value = 'auto'): DeviceChoice {
  if (value === 'auto' || value === 'cpu' || value === 'cuda') return value
  throw invalid('--device is auto, cpu or cuda')
}

function positiveInteger(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(value)) throw invalid(`${option} is a positive whole number`)
  return Number(value)
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `${message}; see --help.`)
}
