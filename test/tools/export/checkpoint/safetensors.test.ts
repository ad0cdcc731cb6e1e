import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'

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
  const withHeader = (text: string) => () => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)))
    return Buffer.concat([length, Buffer.from(text), Buffer.alloc(64)])
  }
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
  expect(await refusal(withHeader('{"a":{"dtype":"I32","shape":[4],"data_offsets":[0,16]}}'))).toContain(
    'I32',
  )
  expect(
    await refusal((bytes) => {
      bytes.writeBigUInt64LE(2n ** 63n, 0)
      return bytes
    }),
  ).toContain('announces a header')
})
