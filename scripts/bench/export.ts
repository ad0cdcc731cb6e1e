import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { text, withDefault } from '../../src/cli/option.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { readLlamaConfig } from '../../src/tools/export/checkpoint/llama-config.ts'
import { parameterCount } from '../../src/tools/export/sizes.ts'
import { benchCall } from './call.ts'
import { llamaConfig, writeSyntheticCheckpoint } from './synthetic-checkpoint.ts'

const { given } = benchCall({
  name: 'export',
  about:
    'Exports a checkpoint of random bfloat16 weights with the widths of a 7B LLaMA and as many layers as make up the size,\n' +
    'in shards, each precision in a process of its own; prints size, time, and the most memory resident at once.',
  options: {
    gigabytes: withDefault(text('N', 'size of the checkpoint'), '6'),
    precisions: withDefault(text('P,P', 'what it is exported as'), 'fp16,int4'),
    load: withDefault(
      text(
        'P,P',
        'precisions that one text is run through, which takes as much memory as the model has bytes; or none',
      ),
      'int4',
    ),
    folder: withDefault(
      text('FOLDER', 'everything is written to a folder made in it, and removed again'),
      tmpdir(),
    ),
  },
})
const gigabytes = Number(given.gigabytes)
if (!(gigabytes > 0 && gigabytes < 1000)) {
  console.error(`--gigabytes is ${given.gigabytes}; it must be a number above 0 and below 1000. See --help.`)
  process.exit(2)
}

const DIMENSIONS = { hiddenSize: 4096, intermediateSize: 11_008, vocabularySize: 32_000 }
const CHILD = fileURLToPath(new URL('./export-child.ts', import.meta.url))
const TOKENIZER = new URL('../../models/llara-mini/tokenizer.json', import.meta.url)
const SHARD_BYTES_MAX = 2e9

const folder = mkdtempSync(join(given.folder, 'llara-bench-export-'))
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
  for (const precision of given.precisions.split(',')) {
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
    if (given.load.split(',').includes(precision)) await load(out)
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
