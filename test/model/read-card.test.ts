import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Card } from '../../src/model/card.ts'
import { modelFolder } from '../../src/model/find-model.ts'
import { readCard } from '../../src/model/read-card.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { tinyReranker } from '../fixtures/tiny-reranker.ts'

let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llara-model-'))
  cpSync(await tinyModel(), folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const cardPath = () => join(folder, 'model.json')
const cardJson = () => JSON.parse(readFileSync(cardPath(), 'utf8'))

function editCard<Edited = Card>(edit: (card: Edited) => void): void {
  const card = cardJson()
  edit(card)
  writeFileSync(cardPath(), JSON.stringify(card))
}

function refused(message: RegExp): void {
  const error = { code: 'MODEL_UNUSABLE', message: expect.stringMatching(message) }
  expect(() => readCard(folder)).toThrow(expect.objectContaining(error))
}

describe('a model folder is refused with what is wrong', () => {
  test('no folder', () => {
    rmSync(folder, { recursive: true })
    refused(/no model at .*model:export/)
  })

  test('a card that is not JSON', () => {
    writeFileSync(join(folder, 'model.json'), '{')
    refused(/cannot be read as JSON/)
  })

  test('a card that breaks the schema names the place', () => {
    editCard((card) => {
      card.prompts.ebar.suffixIds = []
    })
    refused(/\/prompts\/ebar\/suffixIds/)
  })

  test.each<[string, (card: Card) => void, RegExp]>([
    ['pooling beyond the suffix', (card) => (card.pooling.tokens = 99), /pools 99 tokens of a suffix of/],
    [
      'prompt ids beyond the vocabulary',
      (card) => card.prompts.ebae.suffixIds.push(9999),
      /uses token 9999, outside the vocabulary/,
    ],
    ['no tokenizer among its files', (card) => delete card.files['tokenizer.json'], /tokenizer\.json/],
    ['a file elsewhere', (card) => (card.files['../x'] = { bytes: 1, sha256: '' }), /leads out/],
  ])('a card with %s', (_, edit, message) => {
    editCard(edit)
    refused(message)
  })

  test('a file cut short', () => {
    truncateSync(join(folder, 'model.onnx'), 1000)
    refused(/model\.onnx of the model has 1000 bytes/)
  })

  test('a file of the right size with other bytes', () => {
    const path = join(folder, 'tokenizer.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"version"', '"Version"'))
    refused(/sha256/)
  })

  test('a missing file', () => {
    rmSync(join(folder, 'tokenizer.json'))
    refused(/tokenizer\.json of the model is missing/)
  })
})

test('prompts may begin differently', () => {
  editCard((card) => card.prompts.ebae.prefixIds.push(1))
  expect(readCard(folder)).toEqual(cardJson())
})

describe('formats and kinds', () => {
  test('the exporter writes format 2 for an encoder', () => {
    expect(cardJson()).toMatchObject({ format: 2, kind: 'encoder' })
    expect(readCard(folder)).toEqual(cardJson())
  })

  test('a card of format 1 is read as an encoder’s, with the same fingerprint', () => {
    const before = readCard(folder)
    editCard<{ format: number; kind?: string }>((card) => {
      card.format = 1
      delete card.kind
    })
    expect(readCard(folder)).toEqual(before)
  })

  test('the bundled model is of format 1 and keeps its fingerprint', () => {
    const bundled = modelFolder('llara-mini')
    const json = JSON.parse(readFileSync(join(bundled, 'model.json'), 'utf8'))
    expect(json).toMatchObject({ format: 1, id: 'llara-mini' })
    expect(readCard(bundled)).toEqual({ ...json, format: 2, kind: 'encoder' })
    expect(json.fingerprint).toBe('4df96043aad6ee1c2e2783b7ae45dfd88002c879c938a36abefb8556c8bde99d')
  })

  test.each([
    ['a format to come', 3],
    ['one that never was', 0],
    ['none', undefined],
  ])('%s is refused', (_, format) => {
    editCard<{ format: unknown }>((card) => {
      card.format = format
    })
    refused(/has format .*reads formats 1 to 2\. Use a newer version/)
  })

  test('a card that is no object is refused', () => {
    for (const json of ['null', '[]', '"card"', '5']) {
      writeFileSync(cardPath(), json)
      refused(/has format undefined; this version reads/)
    }
  })

  test.each(['painter', 'constructor', 5, null, undefined])('kind %j is refused', (kind) => {
    editCard<{ kind: unknown }>((card) => {
      card.kind = kind
    })
    refused(/\/kind must be one of encoder, reranker/)
  })

  test('a reranker is a card of its own, and no encoder', async () => {
    const reranker = await tinyReranker()
    expect(readCard(reranker, 'reranker')).toMatchObject({ kind: 'reranker', id: 'tiny-reranker' })
    expect(() => readCard(reranker)).toThrow(/holds a model of kind reranker; kind encoder is needed here/)
  })

  test.each<[string, (card: Card<'reranker'>) => void, RegExp]>([
    [
      'no template',
      (card) => delete (card as Partial<typeof card>).template,
      /\/ must have required properties template/,
    ],
    [
      'template ids beyond the vocabulary',
      (card) => card.template.endIds.push(9999),
      /uses token 9999, outside the vocabulary/,
    ],
    [
      'a head beyond the vocabulary',
      (card) => (card.head = { kind: 'token', token: 'Yes', id: 9998 }),
      /uses token 9998, outside the vocabulary/,
    ],
    ['no room for a text', (card) => (card.template.maxTokens = 20), /leaves no room for a text/],
  ])('a reranker’s card with %s is refused', async (_, edit, message) => {
    rmSync(folder, { recursive: true })
    cpSync(await tinyReranker(), folder, { recursive: true })
    editCard(edit)
    expect(() => readCard(folder, 'reranker')).toThrow(message)
  })

  test('an encoder is no reranker', () => {
    expect(() => readCard(folder, 'reranker')).toThrow(/of kind encoder; kind reranker is needed/)
  })
})

describe('the folder of a model', () => {
  test('is found by name under models/, or by path', () => {
    expect(modelFolder('llara-mini')).toMatch(/models[\\/]llara-mini$/)
    expect(modelFolder(folder)).toBe(folder)
  })

  test('is refused by a message that lists the models there are', () => {
    expect(() => modelFolder('no-such-model')).toThrow(/holds no model .*models\/ has: .*llara-mini/)
  })
})
