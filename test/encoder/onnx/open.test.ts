import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import type { ServiceError } from '../../../src/errors.ts'
import type { Card } from '../../../src/model/card.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { type CheckpointName, tinyModel } from '../../fixtures/tiny-model.ts'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { largestDifference, readGolden } from '../../tools/export/tiny-onnx.ts'

let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llara-model-'))
  cpSync(await tinyModel(), folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function editCard(edit: (card: Card) => void): void {
  const path = join(folder, 'model.json')
  const card = JSON.parse(readFileSync(path, 'utf8'))
  edit(card)
  writeFileSync(path, JSON.stringify(card))
}

const open = () => openOnnxEncoder({ modelFolder: folder, device: 'cpu', intraOpThreads: 1 })

describe('refused with what is wrong', () => {
  const refused = (message: RegExp) =>
    expect(open()).rejects.toMatchObject({
      code: 'MODEL_UNUSABLE',
      message: expect.stringMatching(message),
    })

  test('no model', async () => {
    rmSync(folder, { recursive: true })
    await refused(/no model at .*model:export/)
  })

  test('a reranker', async () => {
    cpSync(await tinyReranker(), folder, { recursive: true })
    await refused(/of kind reranker; kind encoder is needed/)
  })

  test('a model the runtime cannot load', async () => {
    const junk = Buffer.alloc(64, 7)
    writeFileSync(join(folder, 'model.onnx'), junk)
    editCard((card) => {
      const sha256 = createHash('sha256').update(junk).digest('hex')
      card.files['model.onnx'] = { bytes: junk.length, sha256 }
    })
    await refused(/cannot load its model\.onnx/)
  })

  test('a card that promises other dimensions than the model gives', async () => {
    editCard((card) => (card.dimensions = 31))
    await refused(/does not give the embeddings/)
  })

  test('a precision that was not made for the device', async () => {
    editCard((card) => (card.precision = 'fp16'))
    await refused(/cpu: .*fp16/)
  })

  test('a limit out of its range', async () => {
    const limits = { queueTextsMax: 0 }
    await expect(openOnnxEncoder({ modelFolder: folder, limits })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      details: { field: 'queueTextsMax' },
    })
  })
})

test.each<CheckpointName>(['mha-paper', 'gqa-paper', 'gqa-released'])(
  '%s gives the vectors transformers gives, from text to vector',
  async (name) => {
    const golden = readGolden(name)
    const encoder = await openOnnxEncoder({
      modelFolder: await tinyModel(name),
      device: 'cpu',
      intraOpThreads: 1,
    })
    const both = await encoder.encode(golden.texts, ['ebar', 'ebae'])
    for (const prompt of ['ebar', 'ebae'] as const) {
      const { vectors } = await encoder.encode(golden.texts, [prompt])
      golden.prompts[prompt].vectors.forEach((expected, i) => {
        expect(largestDifference(vectors[prompt][i]!, expected)).toBeLessThan(1e-4)
        expect(largestDifference(both.vectors[prompt][i]!, expected)).toBeLessThan(1e-4)
      })
    }
    await encoder.close()
  },
)

test('the card that callers see names the prompts and the limits', async () => {
  const card = readCard(folder)
  const encoder = await open()
  expect(encoder.card).toMatchObject({ id: card.id, fingerprint: card.fingerprint, dimensions: 32 })
  expect(encoder.card.prompts.ebar).toContain('{text}')
  const { prefixIds, suffixIds, maxBodyTokens } = card.prompts.ebae
  expect(encoder.card.maxTokens.ebae).toBe(prefixIds.length + maxBodyTokens + suffixIds.length)
  await encoder.close()
})

test('a death fails the calls that wait and all later ones, and every listener hears of it once', async () => {
  const workers: Worker[] = []
  const remember = (worker: Worker) => workers.push(worker)
  process.on('worker', remember)
  const encoder = await open()
  process.off('worker', remember)
  const deaths: ServiceError[] = []
  encoder.onDeath((error) => deaths.push(error))
  encoder.onDeath((error) => deaths.push(error))
  const texts = new Array(2000).fill('leaves turn red')
  const waiting = expect(encoder.encode(texts, ['ebae'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await workers[0]!.terminate()
  await waiting
  expect(deaths.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
  // Refused as dead, not as full, however many come.
  for (let i = 0; i < 5; i++) {
    await expect(encoder.encode(texts, ['ebae'])).rejects.toBe(deaths[0])
  }
  encoder.onDeath((error) => deaths.push(error))
  expect(deaths).toHaveLength(3)
  await encoder.close()
  expect(deaths).toHaveLength(3)
})
