import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Lane } from '../../src/encoder/encoder.ts'
import { BatchRunner } from '../../src/encoder/onnx/batch-runner.ts'
import { type CallRequest, epochMs } from '../../src/encoder/onnx/encode-call.ts'
import { EncoderPipeline } from '../../src/encoder/onnx/pipeline.ts'
import { BatchCost } from '../../src/inference/batch-cost.ts'
import { DEFAULT_LIMITS } from '../../src/inference/limits.ts'
import { LoadCounters } from '../../src/inference/load-counters.ts'
import { GraphSession, openSession } from '../../src/inference/session.ts'
import { type Card, MODEL_FILES } from '../../src/model/card.ts'
import { rowTokens } from '../../src/model/prompt.ts'
import { readCard } from '../../src/model/read-card.ts'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

type Runtime = ConstructorParameters<typeof GraphSession>[0]

/** The pipeline in this thread, so that a test can act in the middle of a batch. */
let card: Card
let tokenizer: BodyTokenizer
let session: GraphSession

beforeAll(async () => {
  const folder = await tinyModel()
  card = readCard(folder)
  tokenizer = BodyTokenizer.load(readFileSync(join(folder, MODEL_FILES.tokenizer), 'utf8'))
  const path = join(folder, MODEL_FILES.graph)
  session = await openSession(path, { provider: 'cpu', intraOpThreads: 1, deviceId: 0 })
})
afterAll(() => session.release())

/** Keeps each batch's lengths and tells, before and right after a batch, how many there were. */
class WatchedRunner extends BatchRunner {
  readonly batches: number[][] = []
  beforeBatch: (count: number) => void = () => {}
  afterBatch: (count: number) => void = () => {}

  override async run(rows: Parameters<BatchRunner['run']>[0]): Promise<Float32Array> {
    this.batches.push(rows.map(({ ids }) => ids.length))
    this.beforeBatch(this.batches.length)
    const embeddings = await super.run(rows)
    this.afterBatch(this.batches.length)
    return embeddings
  }
}

function open() {
  const runner = new WatchedRunner(session, card.padId, card.dimensions)
  const limits = { ...DEFAULT_LIMITS, batchTokensMax: 1 }
  const counters = new LoadCounters()
  const cost = new BatchCost()
  const pipeline = new EncoderPipeline({ card, tokenizer, runner, cost, limits, counters })
  const encode = (texts: string[], lane: Lane = 'bulk', signal = new AbortController().signal) => {
    const request: CallRequest = { texts, task: 'ebae', lane, truncate: 'end', submittedAt: epochMs() }
    return pipeline.encode(request, signal)
  }
  return { runner, pipeline, encode }
}

test('an interactive call whose message came during a bulk batch runs next', async () => {
  const { runner, pipeline, encode } = open()
  const { port1, port2 } = new MessageChannel()
  let query: Promise<unknown> | undefined
  port1.on('message', () => {
    query = encode(['xxxxxxxxxxxxxxxxxxxx'], 'interactive')
  })
  // As in the worker: what was posted while the batch held the thread is there, but not yet delivered.
  runner.afterBatch = (count) => {
    if (count === 3) port2.postMessage('a query')
  }
  await encode(new Array(10).fill('x'))
  await query
  port1.close()
  const longest = Math.max(...runner.batches.flat())
  expect(runner.batches.map(([length]) => length === longest).indexOf(true)).toBe(3)
  await pipeline.close()
})

test('an aborted call’s remaining rows are never run', async () => {
  const { runner, pipeline, encode } = open()
  const abort = new AbortController()
  runner.beforeBatch = (count) => {
    if (count === 3) abort.abort()
  }
  await expect(encode(new Array(10).fill('x'), 'bulk', abort.signal)).rejects.toMatchObject({
    code: 'ABORTED',
  })
  await encode(['xx'])
  expect(runner.batches).toHaveLength(4)
  await pipeline.close()
})

test('closing finishes the batch that runs and rejects what waits', async () => {
  const { runner, pipeline, encode } = open()
  let closed: Promise<void> | undefined
  runner.beforeBatch = () => {
    closed ??= pipeline.close()
  }
  const running = encode(['x'])
  const waiting = encode(['xx', 'xxx'])
  await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect((await running).vectors).toHaveLength(card.dimensions)
  await closed
  expect(runner.batches).toHaveLength(1)
})

/** A device whose memory holds so many rows and no more. */
class SmallDevice extends GraphSession {
  readonly rowsMax: number
  constructor(rowsMax: number) {
    super({ inputNames: session.inputs, outputNames: session.outputs } as unknown as Runtime)
    this.rowsMax = rowsMax
  }
  override run(feeds: Parameters<GraphSession['run']>[0]): ReturnType<GraphSession['run']> {
    if (feeds['input_ids']!.dims[0]! > this.rowsMax) return Promise.reject(new Error('out of memory'))
    return session.run(feeds)
  }
}

test('a batch the device has no room for is run in halves, once', async () => {
  const rows = ['a', 'leaves turn red', 'x y'].map((_, i) =>
    rowTokens(card, 'ebae', new Uint32Array(i + 1).fill(40)),
  )
  const whole = await new BatchRunner(session, card.padId, card.dimensions).run(rows)
  const halves = await new BatchRunner(new SmallDevice(2), card.padId, card.dimensions).run(rows)
  halves.forEach((value, i) => {
    expect(value).toBeCloseTo(whole[i]!, 5)
  })
  const tooSmall = new BatchRunner(new SmallDevice(1), card.padId, card.dimensions)
  await expect(tooSmall.run(rows)).rejects.toThrow('out of memory')
})
