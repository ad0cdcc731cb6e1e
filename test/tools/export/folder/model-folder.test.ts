import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCard } from '../../../../src/model/read-card.ts'
import { readTexts } from '../../../../src/tools/export/calibration/read-texts.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { largestDifference, readGolden, TinyOnnx } from '../tiny-onnx.ts'

describe('a model folder', () => {
  it('holds graph, tokenizer and a card that describes them', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    writeFileSync(checkpoint.path('training.json'), '{"stages":["none"]}')
    const card = await checkpoint.export({ id: 'tiny', licence: 'CC0', maxBodyTokens: 40 })
    expect(readdirSync(checkpoint.out).sort()).toEqual(['model.json', 'model.onnx', 'tokenizer.json'])
    expect(readdirSync(checkpoint.parent)).toEqual(['model'])
    expect(readCard(checkpoint.out)).toEqual(card)
    expect(card).toMatchObject({
      id: 'tiny',
      licence: 'CC0',
      dimensions: 32,
      pooling: { kind: 'mean-of-last', tokens: 1 },
      training: { stages: ['none'] },
      prompts: { ebae: { prefix: '', suffix: ' The original sentence: </s>', maxBodyTokens: 40 } },
    })
    const source = readFileSync(checkpoint.path('tokenizer.json'), 'utf8')
    expect(readFileSync(join(checkpoint.out, 'tokenizer.json'), 'utf8')).toBe(source)
  })

  it('carries figures measured elsewhere beside its own', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const calibrationTexts = ['a b c', 'd e', 'f', 'g h', 'i j k', 'l', 'm n', 'o p q']
    await checkpoint.export({ precision: 'int8', calibrationTexts, quality: { scifact: { 'ndcg@10': 0.5 } } })
    expect(readCard(checkpoint.out).quality).toMatchObject({
      scifact: { 'ndcg@10': 0.5 },
      drift: { against: 'fp32', vectors: 4 },
    })
  })

  it('is replaced only when asked', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    await checkpoint.export({ id: 'first' })
    await expect(checkpoint.export({ id: 'second' })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readCard(checkpoint.out).id).toBe('first')
    await checkpoint.export({ id: 'second', overwrite: true })
    expect(readCard(checkpoint.out).id).toBe('second')
    expect(readdirSync(checkpoint.parent)).toEqual(['model'])
  })

  it('is kept whole when a replacement fails', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const card = await checkpoint.export()
    writeFileSync(checkpoint.path('model.safetensors'), 'not weights')
    await expect(checkpoint.export({ overwrite: true })).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
    })
    expect(readCard(checkpoint.out)).toEqual(card)
  })

  it('leaves nothing when writing fails half-way', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const onProgress = () => {
      throw new Error('disk full')
    }
    await expect(checkpoint.export({ onProgress })).rejects.toThrow('disk full')
    expect(readdirSync(checkpoint.parent)).toEqual([])
  })

  it('has a fingerprint that moves with weights, prompts, tokenizer and precision, and only then', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const print = async (options: Parameters<CopiedCheckpoint['export']>[0] = {}) =>
      (await checkpoint.export({ overwrite: true, ...options })).fingerprint
    const first = await print()
    expect(await print({ id: 'other', licence: 'other', quality: { 'ndcg@10': 0.5 } })).toBe(first)
    const others = [await print({ template: 'released' }), await print({ precision: 'fp16' })]
    others.push(await print({ maxBodyTokens: 9 }))
    checkpoint.edit('tokenizer.json', (json) => {
      json['added_tokens'] = (json['added_tokens'] as unknown[]).slice(0, -1)
    })
    others.push(await print())
    const weights = readFileSync(checkpoint.path('model.safetensors'))
    weights[weights.length - 2]! ^= 1
    writeFileSync(checkpoint.path('model.safetensors'), weights)
    others.push(await print())
    expect(new Set([first, ...others]).size).toBe(6)
  })
})

describe('weights beside the graph', () => {
  it.each(['fp32', 'fp16', 'int8', 'int4'] as const)(
    'give the same vectors as weights inside it, in %s',
    async (precision) => {
      const checkpoint = new CopiedCheckpoint('gqa-released')
      const options = {
        precision,
        template: 'released',
        calibrationTexts: readGolden('gqa-released').texts.concat('a', 'b'),
      } as const
      await checkpoint.export(options)
      const inside = await TinyOnnx.open(checkpoint.out)
      expect(existsSync(join(checkpoint.out, 'model.onnx.data'))).toBe(false)
      const row = inside.row('both', readGolden('gqa-released').body_ids[0]!)
      const [expected] = await inside.run([row])
      await inside.close()
      const card = await checkpoint.export({ ...options, overwrite: true, inlineBytesMax: 1000 })
      expect(Object.keys(card.files)).toEqual(['model.onnx', 'model.onnx.data', 'tokenizer.json'])
      const beside = await TinyOnnx.open(checkpoint.out)
      const [vectors] = await beside.run([row])
      await beside.close()
      for (const group of [0, 1]) expect(largestDifference(vectors![group]!, expected![group]!)).toBe(0)
    },
  )
})

describe('calibration texts', () => {
  const file = (name: string, content: string) => {
    const path = new CopiedCheckpoint('mha-paper').path(name)
    writeFileSync(path, content)
    return path
  }
  const lines = (make: (i: number) => string) => Array.from({ length: 8 }, (_, i) => make(i)).join('\n')

  it('are lines, or JSON lines', () => {
    expect(
      readTexts(
        file(
          'texts.txt',
          lines((i) => `text ${i}`),
        ),
      ),
    ).toHaveLength(8)
    expect(readTexts(file('texts.jsonl', `${lines((i) => `{"text":"text ${i}"}`)}\n\n`))[7]).toBe('text 7')
  })

  it('are refused by line', () => {
    expect(() => readTexts(file('a.jsonl', `${lines(() => '{"text":"a"}')}\n{"text":`))).toThrow('Line 9')
    expect(() =>
      readTexts(
        file(
          'b.jsonl',
          lines(() => '{"body":"a"}'),
        ),
      ),
    ).toThrow('no "text"')
    expect(() => readTexts(file('c.txt', 'one\ntwo'))).toThrow('at least 8')
    expect(() => readTexts('/nowhere/texts.txt')).toThrow('cannot be read')
  })
})
