import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import type { Card } from '../../src/model/card.ts'
import { readCard } from '../../src/model/read-card.ts'
import { type CheckpointName, tinyModel } from '../fixtures/tiny-model.ts'
import { largestDifference, readGolden } from '../tools/export/tiny-graph.ts'

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

const refused = (message: RegExp) =>
  expect(openOnnxEncoder({ modelFolder: folder, intraOpThreads: 1 })).rejects.toMatchObject({
    code: 'MODEL_UNUSABLE',
    message: expect.stringMatching(message),
  })

describe('a model folder is refused with what is wrong', () => {
  test('no folder', async () => {
    rmSync(folder, { recursive: true })
    await refused(/no model at .*model:export/)
  })

  test('a card that is not JSON', async () => {
    writeFileSync(join(folder, 'model.json'), '{')
    await refused(/cannot be read as JSON/)
  })

  test('a card that breaks the schema names the place', async () => {
    editCard((card) => {
      card.prompts.ebar.suffixIds = []
    })
    await refused(/\/prompts\/ebar\/suffixIds/)
  })

  test.each<[string, (card: Card) => void, RegExp]>([
    ['pooling beyond the suffix', (card) => (card.pooling.tokens = 99), /pools 99 tokens of a suffix of/],
    ['prompt ids beyond the vocabulary', (card) => card.prompts.ebae.suffixIds.push(9999), /token 9999/],
    ['different prefixes', (card) => card.prompts.ebae.prefixIds.push(1), /different prefixes/],
    ['no tokenizer among its files', (card) => delete card.files['tokenizer.json'], /tokenizer\.json/],
    ['a file elsewhere', (card) => (card.files['../x'] = { bytes: 1, sha256: '' }), /leads out/],
  ])('a card with %s', async (_, edit, message) => {
    editCard(edit)
    await refused(message)
  })

  test('a file cut short', async () => {
    truncateSync(join(folder, 'model.onnx'), 1000)
    await refused(/model\.onnx has 1000 bytes/)
  })

  test('a file of the right size with other bytes', async () => {
    const path = join(folder, 'tokenizer.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"version"', '"Version"'))
    await refused(/sha256/)
  })

  test('a missing file', async () => {
    rmSync(join(folder, 'tokenizer.json'))
    await refused(/tokenizer\.json is missing/)
  })

  test('a graph the runtime cannot load', async () => {
    const junk = Buffer.alloc(64, 7)
    writeFileSync(join(folder, 'model.onnx'), junk)
    const { createHash } = await import('node:crypto')
    editCard((card) => {
      const sha256 = createHash('sha256').update(junk).digest('hex')
      card.files['model.onnx'] = { bytes: junk.length, sha256 }
    })
    await refused(/cannot load its graph/)
  })

  test('a card that promises other dimensions than the graph gives', async () => {
    editCard((card) => (card.dimensions = 31))
    await refused(/does not give the embeddings/)
  })
})

describe('the device', () => {
  const open = (device: 'auto' | 'cpu' | 'cuda') =>
    openOnnxEncoder({ modelFolder: folder, device, intraOpThreads: 1 })

  test('is what was asked for', async () => {
    const encoder = await open('cpu')
    expect(encoder.device).toEqual({ provider: 'cpu', reason: expect.stringContaining('as configured') })
    await encoder.close()
  })

  test('is refused where the precision was not made for it', async () => {
    editCard((card) => (card.precision = 'int8'))
    await expect(open('cuda')).rejects.toMatchObject({
      code: 'MODEL_UNUSABLE',
      message: expect.stringMatching(/cuda: .*int8/),
    })
    const encoder = await open('auto')
    expect(encoder.device).toEqual({ provider: 'cpu', reason: expect.stringMatching(/int8/) })
    await encoder.close()
    editCard((card) => (card.precision = 'fp16'))
    await expect(open('cpu')).rejects.toMatchObject({
      code: 'MODEL_UNUSABLE',
      message: expect.stringMatching(/cpu: .*fp16/),
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
    const both = await encoder.encodeBoth(golden.texts)
    for (const prompt of ['ebar', 'ebae'] as const) {
      const { vectors } = await encoder.encode(golden.texts, prompt)
      golden.prompts[prompt].vectors.forEach((expected, i) => {
        expect(largestDifference(vectors[i]!, expected)).toBeLessThan(1e-4)
        expect(largestDifference(both[prompt].vectors[i]!, expected)).toBeLessThan(1e-4)
      })
    }
    await encoder.close()
  },
)

test('the card told to callers names the prompts and the limits', async () => {
  const card = readCard(folder)
  const encoder = await openOnnxEncoder({ modelFolder: folder, intraOpThreads: 1 })
  expect(encoder.card).toMatchObject({ id: card.id, fingerprint: card.fingerprint, dimensions: 32 })
  expect(encoder.card.prompts.ebar).toContain('{text}')
  const { prefixIds, suffixIds, maxBodyTokens } = card.prompts.ebae
  expect(encoder.card.maxTokens.ebae).toBe(prefixIds.length + maxBodyTokens + suffixIds.length)
  await encoder.close()
})
