import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { readLlamaConfig } from '../../src/tools/export/checkpoint/llama-config.ts'
import { parameterCount } from '../../src/tools/export/sizes.ts'
import { llamaConfig, writeSyntheticCheckpoint } from './synthetic-checkpoint.ts'

const HELP = `npm run bench -- export [--gigabytes 6] [--precisions fp16,int4] [--load int4] [--folder FOLDER]

Exports a checkpoint of random bfloat16 weights with the widths of a 7B LLaMA and as many layers as make up the size,
in shards, each precision in a process of its own; tells size, time, and the most memory resident at once. --load runs
one text through the named precisions (none: --load ''), which takes as much memory as the model has bytes. Everything
is written to a folder made under FOLDER (default the system's for temporary files) and removed again.`

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '6' },
    precisions: { type: 'string', default: 'fp16,int4' },
    load: { type: 'string', default: 'int4' },
    folder: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
const gigabytes = Number(values.gigabytes)
if (values.help || !(gigabytes > 0 && gigabytes < 1000)) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}

const DIMENSIONS = { hiddenSize: 4096, intermediateSize: 11_008, vocabularySize: 32_000 }
const CHILD = fileURLToPath(new URL('./export-child.ts', import.meta.url))
const TOKENIZER = new URL('../../models/llara-mini/tokenizer.json', import.meta.url)
const SHARD_BYTES_MAX = 2e9

const folder = mkdtempSync(join(values.folder, 'llara-bench-export-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
process.once('SIGINT', () => process.exit(130))
await main()

async function main(): Promise<void> {
  const config = llamaConfig({ ...DIMENSIONS, layers: layersFor(gigabytes * 1e9) })
  const checkpoint = join(folder, 'checkpoint')
  const bytes = writeSyntheticCheckpoint(checkpoint, readLlamaConfig(config), {
    config,
    tokenizerJson: readFileSync(TOKENIZER, 'utf8'),
    shardBytesMax: SHARD_BYTES_MAX,
  })
  console.log(`checkpoint: ${gb(bytes)} of bfloat16, ${config.num_hidden_layers} layers`)
  for (const precision of values.precisions.split(',')) {
    const out = join(folder, precision)
    const options = {
      checkpoint,
      out,
      precision,
      template: 'paper',
      licence: 'none',
      source: 'random weights',
    }
    const child = spawnSync(process.execPath, ['--import', 'tsx', CHILD, JSON.stringify(options)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (child.status !== 0) {
      process.exitCode = 1
      continue
    }
    const result = JSON.parse(child.stdout) as { bytes: number; seconds: number; peak: number }
    const share = ((100 * result.peak) / bytes).toFixed(1)
    console.log(
      `${precision}: ${gb(result.bytes)} in ${result.seconds.toFixed(0)} s; at most ${gb(result.peak)} resident, ${share} % of the checkpoint`,
    )
    if (values.load.split(',').includes(precision)) await load(out)
    rmSync(out, { recursive: true })
  }
}

async function load(model: string): Promise<void> {
  const start = performance.now()
  const encoder = await openOnnxEncoder({ modelFolder: model, device: 'cpu' })
  const opened = performance.now()
  const { vectors } = await encoder.encode(['A text of a few words.'], ['ebae'])
  const length = Math.hypot(...vectors.ebae[0]!)
  const [openS, runMs] = [(opened - start) / 1000, performance.now() - opened]
  console.log(
    `  opened in ${openS.toFixed(1)} s, one text in ${runMs.toFixed(0)} ms, a vector of length ${length.toFixed(4)}`,
  )
  await encoder.close()
}

function layersFor(bytes: number): number {
  const parametersOf = (layers: number) =>
    parameterCount(readLlamaConfig(llamaConfig({ ...DIMENSIONS, layers })))
  const layer = parametersOf(2) - parametersOf(1)
  return Math.max(1, Math.ceil((bytes / 2 - (parametersOf(1) - layer)) / layer))
}

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`
}
