import { readdirSync, statSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { ENCODER_LIMITS } from '../../src/encoder/limits.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { readCard } from '../../src/model/read-card.ts'
import { benchCall } from './call.ts'
import { measureLatency } from './encoder-latency.ts'
import { measureThroughput, type Throughput } from './encoder-throughput.ts'
import { openRawModel } from './raw-model.ts'

const { given, operands } = benchCall({
  name: 'encoder',
  about:
    'The encoder against its own bare inference session, on the same rows in the same batches, in turns; then single\n' +
    'queries, idle and while bulk work runs. Without folders, every model under models/.',
  operands: { name: 'FOLDER', noun: 'model folder', many: true, optional: true },
  options: {
    lengths: withDefault(text('N,N', 'tokens of the texts'), '32,128,512'),
    rounds: withDefault(wholeNumber('N', [1, 1000], 'times that everything is measured'), 5),
    threads: withDefault(wholeNumber('N', [1, 1024], 'threads of an inference'), availableParallelism()),
  },
})
const { rounds, threads: intraOpThreads } = given
const lengths = given.lengths.split(',').map(Number)
const folders = operands.length > 0 ? operands : bundledModels()

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
