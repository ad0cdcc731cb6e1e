import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readCard } from '../../../../src/model/read-card.ts'
import { adaptedCheckpoint } from '../../../../src/tools/export/adapter/adapted-checkpoint.ts'
import { openCheckpoint } from '../../../../src/tools/export/checkpoint/checkpoint.ts'
import { SafetensorsFile } from '../../../../src/tools/export/checkpoint/safetensors.ts'
import { expectedTensors } from '../../../../src/tools/export/checkpoint/tensor-names.ts'
import { type CheckpointName, checkpointFolder } from '../../../fixtures/tiny-model.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { cosine, largestDifference, readGolden, TinyOnnx } from '../tiny-onnx.ts'

function adapterFolder(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/adapters/${name}`, import.meta.url))
}

/** By adapter: the checkpoint it was trained on. */
const ADAPTERS: [adapter: string, base: CheckpointName][] = [
  ['plain', 'mha-released'],
  ['patterns', 'bias-paper'],
  ['bare', 'gqa-paper'],
  ['whole-embeddings', 'mha-paper'],
]

it.each(ADAPTERS)('%s merges as peft merges it, and changes nothing else', async (name, base) => {
  const expected = await SafetensorsFile.open(join(adapterFolder(name), 'merged.safetensors'))
  const plain = await openCheckpoint(checkpointFolder(base))
  const merged = await adaptedCheckpoint(await openCheckpoint(checkpointFolder(base)), adapterFolder(name))
  expect(expected.tensors.size).toBeGreaterThan(0)
  for (const [tensor, shape] of expectedTensors(plain.config)) {
    const before = await plain.read(tensor)
    const after = await merged.read(tensor)
    expect(after).toHaveLength(shape.reduce((product, dim) => product * dim, 1))
    const changed = expected.tensors.has(tensor)
    expect(largestDifference(after, changed ? await expected.read(tensor) : before)).toBeLessThan(1e-5)
    expect(largestDifference(after, before) > 1e-3).toBe(changed)
  }
  await Promise.all([expected.close(), plain.close(), merged.close()])
})

it('is merged on the way into a model folder, and moves its fingerprint', async () => {
  const checkpoint = new CopiedCheckpoint('bias-paper')
  const plain = await checkpoint.export()
  const adapted = await checkpoint.export({ adapter: adapterFolder('patterns'), overwrite: true })
  expect(readCard(checkpoint.out)).toEqual(adapted)
  expect(adapted.fingerprint).not.toBe(plain.fingerprint)
  const graph = await TinyOnnx.open(checkpoint.out)
  const golden = readGolden('bias-paper')
  const [[vector]] = (await graph.run([graph.row('ebae', golden.body_ids[0]!)])) as [Float32Array[]]
  await graph.close()
  expect(cosine(vector!, golden.prompts.ebae.vectors[0]!)).toBeLessThan(0.99)
})

describe('an adapter that cannot be merged', () => {
  type Json = Record<string, unknown>
  function copied(name: string, change: (config: Json) => void = () => {}): string {
    const folder = mkdtempSync(join(tmpdir(), 'llara-adapter-'))
    cpSync(adapterFolder(name), folder, { recursive: true })
    const path = join(folder, 'adapter_config.json')
    const config = JSON.parse(readFileSync(path, 'utf8')) as Json
    change(config)
    writeFileSync(path, JSON.stringify(config))
    return folder
  }

  async function refusal(base: CheckpointName, adapter: string): Promise<unknown> {
    const checkpoint = new CopiedCheckpoint(base)
    const error = await checkpoint.export({ adapter, template: 'paper' }).catch((thrown: unknown) => thrown)
    expect(checkpoint.written).toBe(false)
    return error
  }

  it.each<[key: string, value: unknown]>([
    ['peft_type', 'IA3'],
    ['use_dora', true],
    ['bias', 'lora_only'],
    ['lora_bias', true],
    ['init_lora_weights', 'pissa_niter_4'],
    ['layer_replication', [[0, 2]]],
    ['alora_invocation_tokens', [1, 2]],
    ['r', 0],
    ['rank_pattern', { '(': 2 }],
  ])('is refused for %s %j', async (key, value) => {
    const adapter = copied('patterns', (config) => {
      config[key] = value
    })
    expect(await refusal('bias-paper', adapter)).toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringContaining(`adapter_config.json: ${key} is`),
    })
  })

  it('is refused where ranks, shapes or modules do not fit', async () => {
    const rank = copied('patterns', (config) => {
      config['r'] = 5
    })
    expect(await refusal('bias-paper', rank)).toMatchObject({
      message: expect.stringMatching(/lora_(embedding_)?A.* has shape \[4,\d+\].*ask for \[5,/),
    })
    expect(await refusal('gqa-paper', copied('plain'))).toMatchObject({
      message: expect.stringContaining('v_proj.lora_B.weight has shape [32,4]'),
    })
    expect(await refusal('mha-paper', copied('patterns'))).toMatchObject({ code: 'CHECKPOINT_UNUSABLE' })
  })

  it('is refused without its files', async () => {
    for (const file of ['adapter_config.json', 'adapter_model.safetensors']) {
      const folder = copied('plain')
      rmSync(join(folder, file))
      expect(await refusal('mha-released', folder)).toMatchObject({
        code: 'CHECKPOINT_UNUSABLE',
        message: expect.stringContaining(file),
      })
    }
  })
})
