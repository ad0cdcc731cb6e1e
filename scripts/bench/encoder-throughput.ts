import type { Encoder } from '../../src/encoder/encoder.ts'
import type { RowTokens } from '../../src/model/prompt.ts'
import type { RawModel } from './raw-model.ts'
import { quantile, textsOfLength } from './sample-texts.ts'

export interface Throughput {
  encoderTokens: number
  encoderTexts: number
  rawTokens: number
  /** Median over rounds of encoder rate / bare session's rate, measured one after the other. */
  ratio: number
  /** The same of processor time: what the encoder adds, whatever else the machine is doing. */
  cpuRatio: number
  /** Rows of the encoder's batches, which the bare session runs too. */
  batchRows: number
}

/** A measured run takes about this long: enough batches that one more or less does not matter. */
const RUN_MS = 2_000
const PROBE_TEXTS = 16

/** Two calls are in flight, as an ingest has them. */
export async function measureThroughput(
  encoder: Encoder,
  raw: RawModel,
  length: number,
  rounds: number,
): Promise<Throughput> {
  const probe = await textsOfLength(raw.tokenizer, length, PROBE_TEXTS)
  const { ms: probeMs } = await costOf(() => encoder.encode(probe, ['ebae']))
  const count = Math.max(PROBE_TEXTS, 2 * Math.round((RUN_MS / probeMs) * (PROBE_TEXTS / 2)))
  const texts = await textsOfLength(raw.tokenizer, length, count)
  const rows = (await raw.tokenizer.encode(texts)).map((ids) => raw.row(ids))
  const tokens = rows.reduce((sum, row) => sum + row.ids.length, 0)
  const viaEncoder = () =>
    Promise.all([
      encoder.encode(texts.slice(0, count / 2), ['ebae']),
      encoder.encode(texts.slice(count / 2), ['ebae']),
    ])
  await viaEncoder()
  const samples: { encoder: Cost; raw: Cost; batchRows: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const before = (await encoder.stats()).batches
    const encoderCost = await costOf(viaEncoder)
    const batchRows = Math.max(1, Math.round(count / ((await encoder.stats()).batches - before)))
    const rawCost = await costOf(() => runRaw(raw, rows, batchRows))
    samples.push({ encoder: encoderCost, raw: rawCost, batchRows })
  }
  const median = (pick: (sample: (typeof samples)[number]) => number) => quantile(samples.map(pick), 0.5)
  const encoderTokens = (1000 * tokens) / median((sample) => sample.encoder.ms)
  return {
    encoderTokens,
    encoderTexts: (encoderTokens * count) / tokens,
    rawTokens: (1000 * tokens) / median((sample) => sample.raw.ms),
    ratio: median((sample) => sample.raw.ms / sample.encoder.ms),
    cpuRatio: median((sample) => sample.raw.cpuMs / sample.encoder.cpuMs),
    batchRows: median((sample) => sample.batchRows),
  }
}

async function runRaw(raw: RawModel, rows: readonly RowTokens[], batchRows: number): Promise<void> {
  const sorted = [...rows].sort((a, b) => a.ids.length - b.ids.length)
  for (let at = 0; at < sorted.length; at += batchRows) await raw.run(sorted.slice(at, at + batchRows))
}

interface Cost {
  ms: number
  /** Of all threads of the process. */
  cpuMs: number
}

async function costOf(run: () => Promise<unknown>): Promise<Cost> {
  const start = performance.now()
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000 }
}
