import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { readTensorFile, tensorFile } from '../tensor-file.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const SHARDS = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`)

/** Shards with their index, and their tensors in one file beside them. */
function withBoth(): CopiedCheckpoint {
  const checkpoint = new CopiedCheckpoint('gqa-released')
  const all = new Map(SHARDS.flatMap((shard) => [...readTensorFile(readFileSync(checkpoint.path(shard)))]))
  writeFileSync(checkpoint.path(SINGLE), tensorFile(all))
  return checkpoint
}

/** Flips the last bit of a tensor's last number. */
function damage(checkpoint: CopiedCheckpoint, file: string, tensor: string): void {
  checkpoint.editTensors(file, (tensors) => {
    const { data, dtype } = tensors.get(tensor)!
    data[data.length - (dtype === 'F32' ? 4 : 2)]! ^= 1
  })
}

async function exported(checkpoint: CopiedCheckpoint) {
  const said: string[] = []
  const card = await checkpoint.export({ overwrite: true, onProgress: (step) => said.push(step) })
  return { fingerprint: card.fingerprint, said: said.join('\n') }
}

it('reads shards, or one file, or both where they are the same', async () => {
  const shards = await exported(new CopiedCheckpoint('gqa-released'))
  const both = withBoth()
  expect((await exported(both)).fingerprint).toBe(shards.fingerprint)
  for (const shard of SHARDS) rmSync(both.path(shard))
  rmSync(both.path(INDEX))
  expect((await exported(both)).fingerprint).toBe(shards.fingerprint)
})

it('refuses one file and shards that differ, be it in one number', async () => {
  const checkpoint = withBoth()
  const name = 'model.layers.1.mlp.down_proj.weight'
  damage(checkpoint, SINGLE, name)
  await expect(checkpoint.export()).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    message: expect.stringMatching(/both model\.safetensors and shards.*differ in layers\.1\.mlp\.down_proj/),
  })
  expect(checkpoint.written).toBe(false)
})

it.each([
  ['names shards that are not there', (checkpoint: CopiedCheckpoint) => rmSync(checkpoint.path(SHARDS[1]!))],
  ['is not JSON', (checkpoint: CopiedCheckpoint) => writeFileSync(checkpoint.path(INDEX), '{')],
])(
  'reads what transformers reads, and says so, where the index beside one file %s',
  async (_what, change) => {
    const checkpoint = withBoth()
    damage(checkpoint, SINGLE, 'model.norm.weight')
    const alone = withBoth()
    damage(alone, SINGLE, 'model.norm.weight')
    rmSync(alone.path(INDEX))
    change(checkpoint)
    const { fingerprint, said } = await exported(checkpoint)
    expect(fingerprint).toBe((await exported(alone)).fingerprint)
    expect(said).toMatch(/model\.safetensors\.index\.json .*; model\.safetensors is read/)
  },
)

it.each<[string, string, (map: Record<string, string>) => void]>([
  [
    'a tensor that no shard holds',
    'lists model.layers.9.mlp.up_proj.weight',
    (map) => {
      map['model.layers.9.mlp.up_proj.weight'] = SHARDS[0]!
    },
  ],
  [
    'all but one tensor',
    'does not list model.norm.weight',
    (map) => {
      delete map['model.norm.weight']
    },
  ],
])('refuses an index that names %s', async (_what, message, change) => {
  const checkpoint = new CopiedCheckpoint('gqa-released')
  checkpoint.edit(INDEX, (index) => change(index['weight_map'] as Record<string, string>))
  await expect(checkpoint.export()).rejects.toThrow(message)
})

it('refuses a tensor that two shards hold, unless nobody reads it', async () => {
  const checkpoint = new CopiedCheckpoint('gqa-released')
  const head = { dtype: 'F32', shape: [1], data: Buffer.alloc(4) }
  for (const shard of SHARDS) checkpoint.editTensors(shard, (tensors) => tensors.set('lm_head.weight', head))
  await checkpoint.export()
  const shard = SHARDS.find((name) =>
    readTensorFile(readFileSync(checkpoint.path(name))).has('model.norm.weight'),
  )!
  const other = SHARDS.find((name) => name !== shard)!
  const norm = readTensorFile(readFileSync(checkpoint.path(shard))).get('model.norm.weight')!
  checkpoint.editTensors(other, (tensors) => tensors.set('model.norm.weight', norm))
  await expect(checkpoint.export({ overwrite: true })).rejects.toThrow(
    /model\.norm\.weight is in both model-/,
  )
})

it.each([
  ['pytorch_model.bin', /only as pickle.*pytorch_model\.bin.*save_pretrained/],
  ['pytorch_model.bin.index.json', /has no model\.safetensors and no model\.safetensors\.index\.json/],
  ['consolidated.00.pth', /only as pickle/],
  ['tf_model.h5', /for TensorFlow or Flax/],
  ['llama.gguf', /as GGUF/],
  ['model.fp16.safetensors', /model\.fp16\.safetensors is there, which transformers does not read/],
])('says what there is instead of weights: %s', async (name, message) => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  renameSync(checkpoint.path(SINGLE), checkpoint.path(name))
  await expect(checkpoint.export()).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    message: expect.stringMatching(message),
  })
})

it('leaves alone what transformers does not read', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  const before = await exported(checkpoint)
  cpSync(checkpoint.path(SINGLE), checkpoint.path('model.fp16.safetensors'))
  checkpoint.fill('model.fp16.safetensors', 'model.norm.weight', 3)
  writeFileSync(checkpoint.path('pytorch_model.bin'), 'pickle')
  expect((await exported(checkpoint)).fingerprint).toBe(before.fingerprint)
})
