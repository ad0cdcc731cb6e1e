import { readdirSync, statSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ENCODER_LIMITS } from '../../src/encoder/limits.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { readCard } from '../../src/model/read-card.ts'
import { measureLatency } from './encoder-latency.ts'
import { measureThroughput, type Throughput } from './encoder-throughput.ts'
import { openRawModel } from './raw-model.ts'

const HELP = `npm run bench -- encoder [model folder ...] [--lengths 32,128,512] [--rounds 5] [--threads N]

The encoder against its own bare inference session, on the same rows in the same batches, round about; then single
queries, idle and while bulk work runs. Without folders, every model under models/.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lengths: { type: 'string', default: '32,128,512' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const intraOpThreads = Number(values.threads)
const rounds = Number(values.rounds)
const lengths = values.lengths.split(',').map(Number)
const folders = positionals.length > 0 ? positionals : bundledModels()

console.log(`machine: ${cpus()[0]?.model}, ${availableParallelism()} CPUs; Node ${process.versions.node}`)
console.log(
  `threads ${intraOpThreads}, rounds ${rounds}, batchTokensMax ${ENCODER_LIMITS.batchTokensMax.fallback}, ` +
    `bulkBatchMsMax ${ENCODER_LIMITS.bulkBatchMsMax.fallback}; medians`,
)

const rates = new Map<string, Map<number, Throughput>>()
for (const folder of folders) {
  const card = readCard(folder)
  const start = performance.now()
  const encoder = await openOnnxEncoder({ modelFolder: folder, intraOpThreads })
  const openMs = performance.now() - start
  console.log(`\n${folder}: ${card.precision}, ${card.dimensions} dimensions, ${encoder.device.provider}`)
  console.log(`open to first embedding: ${openMs.toFixed(0)} ms`)
  rates.set(folder, await benchThroughput(folder, encoder))
  for (const [load, latency] of await measureLatency(encoder)) {
    console.log(`one query, ${load}: p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms`)
  }
  await encoder.close()
}
compareModels()

async function benchThroughput(folder: string, encoder: OnnxEncoder): Promise<Map<number, Throughput>> {
  const raw = await openRawModel(folder, encoder.device.provider, intraOpThreads)
  const results = new Map<number, Throughput>()
  for (const length of lengths) {
    const result = await measureThroughput(encoder, raw, length, rounds)
    results.set(length, result)
    console.log(
      `${String(length).padStart(4)} body tokens: encoder ${result.encoderTokens.toFixed(0)} tokens/s, ` +
        `${result.encoderTexts.toFixed(1)} texts/s; session ${result.rawTokens.toFixed(0)} tokens/s; ` +
        `ratio ${result.ratio.toFixed(3)}, of processor time ${result.cpuRatio.toFixed(3)}; batches of ${result.batchRows}`,
    )
  }
  await raw.close()
  return results
}

/** Each further model against the first, at each length. */
function compareModels(): void {
  const [first, ...others] = rates
  for (const [folder, results] of others) {
    for (const [length, { encoderTokens }] of results) {
      const ratio = encoderTokens / first![1].get(length)!.encoderTokens
      console.log(`${folder} / ${first![0]} at ${length}: ${ratio.toFixed(2)} x tokens/s`)
    }
  }
}

function bundledModels(): string[] {
  return readdirSync('models')
    .map((name) => join('models', name))
    .filter((path) => statSync(path).isDirectory())
}
