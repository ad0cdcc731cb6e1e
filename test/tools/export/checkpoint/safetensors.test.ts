import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { withHeader as fileOf, readTensorFile, type Tensor, tensorFile } from '../tensor-file.ts'

const FILE = 'model.safetensors'

/** Exports a checkpoint whose weights file was rewritten; nothing may be left behind. */
async function refusal(rewrite: (bytes: Buffer) => Buffer): Promise<string> {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  const bytes = readFileSync(checkpoint.path(FILE))
  writeFileSync(checkpoint.path(FILE), rewrite(bytes))
  const error = await checkpoint.export().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'CHECKPOINT_UNUSABLE' })
  expect(checkpoint.written).toBe(false)
  return (error as Error).message
}

it('says where a cut file ends, wherever it is cut', async () => {
  const size = readFileSync(new CopiedCheckpoint('mha-paper').path(FILE)).length
  for (const length of [0, 7, 8, 100, 2000, size >> 1, size - 1]) {
    expect(await refusal((bytes) => bytes.subarray(0, length))).toMatch(/too short|cut/)
  }
})

it('refuses a header that is not what the format says', async () => {
  const withHeader = (text: string) => () => fileOf(text, Buffer.alloc(64))
  expect(await refusal(withHeader('{"a":'))).toContain('not JSON')
  expect(await refusal(withHeader('[]'))).toContain('not a JSON object')
  expect(await refusal(withHeader('{"a":null}'))).toContain('damaged header entry for a')
  expect(await refusal(withHeader('{"a":{"dtype":"F32","shape":[4],"data_offsets":[-4,12]}}'))).toContain(
    'damaged',
  )
  expect(await refusal(withHeader('{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}'))).toContain(
    'needs 20',
  )
  expect(await refusal(withHeader('{"a":{"dtype":"F32","shape":[17],"data_offsets":[0,68]}}'))).toContain(
    'cut',
  )
  expect(
    await refusal((bytes) => {
      bytes.writeBigUInt64LE(2n ** 63n, 0)
      return bytes
    }),
  ).toContain('announces a header')
})

const F32 = (from: number, to: number, shape = [(to - from) / 4]) =>
  `{"dtype":"F32","shape":[${shape}],"data_offsets":[${from},${to}]}`

it.each([
  [
    'two tensors in the same bytes',
    `{"a":${F32(0, 40)},"b":${F32(32, 64)}}`,
    'has a and b in the same bytes',
  ],
  ['one tensor inside another', `{"a":${F32(0, 64)},"b":${F32(16, 32)}}`, 'has a and b in the same bytes'],
  ['two names for one tensor', `{"a":${F32(0, 64)},"b":${F32(0, 64)}}`, 'has a and b in the same bytes'],
  ['bytes between two tensors', `{"a":${F32(0, 16)},"b":${F32(32, 64)}}`, '16 bytes between a and b'],
  ['bytes before the first', `{"a":${F32(16, 64)}}`, '16 bytes between the header and a'],
  ['bytes after the last', `{"a":${F32(0, 32)}}`, '32 bytes after its last tensor'],
  ['bytes of no tensor at all', '{}', '64 bytes after its last tensor'],
  ['a name twice', `{"a":${F32(0, 64, [4, 4])},"a":${F32(0, 64, [2, 8])}}`, 'has a twice'],
  [
    'a name spelled in two ways',
    `{"a":${F32(0, 64, [4, 4])},"\\u0061":${F32(0, 64, [2, 8])}}`,
    'has a twice',
  ],
  [
    'a format twice',
    '{"a":{"dtype":"BF16","dtype":"F16","shape":[32],"data_offsets":[0,64]}}',
    'has dtype twice',
  ],
  ['offsets that run backwards', `{"a":${F32(64, 0, [16])}}`, 'gives a -64 bytes'],
  [
    'a shape beyond any file',
    '{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991],"data_offsets":[0,64]}}',
    'where its shape',
  ],
  [
    'a shape that is no list of counts',
    '{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,64]}}',
    'damaged header entry',
  ],
  [
    'an unread format of a wrong length',
    '{"a":{"dtype":"BOOL","shape":[63],"data_offsets":[0,64]}}',
    'needs 63',
  ],
  ["TensorFlow's order", `{"__metadata__":{"format":"tf"},"a":${F32(0, 64)}}`, 'saved by tf'],
])('refuses %s', async (_what, header, message) => {
  expect(await refusal(() => fileOf(header, Buffer.alloc(64)))).toContain(message)
})

function edited(bytes: Buffer, change: (tensors: Map<string, Tensor>) => void): Buffer {
  const tensors = readTensorFile(bytes)
  change(tensors)
  return tensorFile(tensors)
}

it('refuses a number format of a tensor that is read, and of no other', async () => {
  const norm = 'model.norm.weight'
  const message = await refusal((bytes) =>
    edited(bytes, (tensors) => tensors.set(norm, { dtype: 'I8', shape: [32], data: Buffer.alloc(32) })),
  )
  expect(message).toContain(`stores ${norm} as I8`)
  const checkpoint = new CopiedCheckpoint('mha-paper')
  const before = await checkpoint.export()
  checkpoint.editTensors(FILE, (tensors) => {
    tensors.set('lm_head.weight', { dtype: 'F8_E4M3', shape: [316, 32], data: Buffer.alloc(316 * 32) })
    tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', {
      dtype: 'F64',
      shape: [0],
      data: Buffer.alloc(0),
    })
    tensors.set('model.layers.1.self_attn.rotary_emb.inv_freq', {
      dtype: 'F4',
      shape: [6],
      data: Buffer.alloc(3),
    })
  })
  expect((await checkpoint.export({ overwrite: true })).fingerprint).toBe(before.fingerprint)
})
