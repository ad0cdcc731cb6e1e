import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { embeddings } from '../../../src/encoder/onnx/embeddings.ts'
import { BatchRunner } from '../../../src/inference/pipeline/batch-runner.ts'
import { type ModelSession, openSession, type Tensors } from '../../../src/inference/session.ts'
import { type Card, MODEL_FILES, TENSORS } from '../../../src/model/card.ts'
import { type RowTokens, rowTokens } from '../../../src/model/prompt.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'

let card: Card
let session: ModelSession
let rows: RowTokens[]

beforeAll(async () => {
  const folder = await tinyModel()
  card = readCard(folder)
  const path = join(folder, MODEL_FILES.model)
  session = await openSession(path, { provider: 'cpu', intraOpThreads: 1, spinning: false, deviceId: 0 })
  rows = [1, 2, 3].map((tokens) => rowTokens(card, ['ebae'], new Uint32Array(tokens).fill(40)))
})
afterAll(() => session.release())

type Device = Pick<ModelSession, 'run'>
const runner = (device: Device) => new BatchRunner(device, card.padId, embeddings(card.dimensions))

/** A device whose memory has room for `rowsMax` rows. */
function smallDevice(rowsMax: number): Device {
  return {
    async run(feeds) {
      if (feeds[TENSORS.inputIds]!.dims[0]! > rowsMax) throw new Error('out of memory')
      return session.run(feeds)
    },
  }
}

test('a batch the device has no room for is run in halves, once', async () => {
  const whole = await runner(session).run(rows)
  const halves = await runner(smallDevice(2)).run(rows)
  expect(halves).toHaveLength(whole.length)
  halves.forEach((value, i) => {
    expect(value).toBeCloseTo(whole[i]!, 5)
  })
  await expect(runner(smallDevice(1)).run(rows)).rejects.toThrow('out of memory')
})

test('a single row that fails is not tried again', async () => {
  let runs = 0
  const failing: Device = {
    async run() {
      runs++
      throw new Error('a fault')
    },
  }
  await expect(runner(failing).run(rows.slice(0, 1))).rejects.toThrow('a fault')
  expect(runs).toBe(1)
})

test.each<[string, (outputs: Tensors) => Tensors, RegExp]>([
  ['no embeddings', () => ({}), /does not give the embeddings/],
  [
    'too few',
    ({ embeddings }) => ({
      embeddings: { type: 'float32', dims: [1], data: (embeddings!.data as Float32Array).slice(1) },
    }),
    /does not give the embeddings/,
  ],
  [
    'a vector that is not a number',
    ({ embeddings }) => {
      const data = (embeddings!.data as Float32Array).slice()
      data[40] = Number.NaN
      return { embeddings: { type: 'float32', dims: embeddings!.dims, data } }
    },
    /not of unit length/,
  ],
])('%s is a fault of the model', async (_, change, message) => {
  const device: Device = { run: async (feeds) => change(await session.run(feeds)) }
  const outcome = runner(device).run(rows)
  await expect(outcome).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(message) })
})
