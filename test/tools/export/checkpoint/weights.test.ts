import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { ExportOptions } from '../../../../src/tools/export/export-options.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'

const FILE = 'model.safetensors'

it.each([
  ['model.embed_tokens.weight', Number.NaN, 1234, { precision: 'fp32' }],
  ['model.layers.0.mlp.up_proj.weight', Number.POSITIVE_INFINITY, 7, { precision: 'fp32' }],
  ['model.layers.1.self_attn.q_proj.weight', Number.NaN, 0, { precision: 'fp16' }],
  ['model.layers.1.input_layernorm.weight', Number.NEGATIVE_INFINITY, 31, { precision: 'int8' }],
  ['model.norm.weight', Number.NaN, 3, { precision: 'int8', quantisation: 'weight-only' }],
  ['model.layers.0.mlp.down_proj.weight', Number.NaN, 100, { precision: 'int4' }],
] satisfies [string, number, number, Partial<ExportOptions>][])(
  'refuses %s with %d at number %d: %j',
  async (tensor, value, at, options) => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    checkpoint.fill(FILE, tensor, value, at)
    await expect(checkpoint.export(options)).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringContaining(
        `Tensor ${tensor.replace(/^model\./, '')} holds ${value} at number ${at}`,
      ),
    })
    expect(readdirSync(checkpoint.parent)).toEqual([])
  },
)

it('refuses for fp16 what fp16 cannot hold, and takes it for fp32', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.fill(FILE, 'model.layers.0.mlp.up_proj.weight', 65_519, 5)
  await checkpoint.export({ precision: 'fp16' })
  checkpoint.fill(FILE, 'model.layers.0.mlp.up_proj.weight', -70_000, 5)
  await expect(checkpoint.export({ precision: 'fp16', overwrite: true })).rejects.toThrow(
    /layers\.0\.mlp\.up_proj\.weight holds -70000 at number 5, which fp16 cannot hold/,
  )
  await checkpoint.export({ overwrite: true })
})

/** Renames every tensor. */
function renamed(change: (name: string) => string): CopiedCheckpoint {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.editTensors(FILE, (tensors) => {
    const all = [...tensors]
    tensors.clear()
    for (const [name, tensor] of all) tensors.set(change(name), tensor)
  })
  return checkpoint
}

it.each([
  ['module.', (name: string) => `module.${name}`],
  ['_orig_mod.', (name: string) => `_orig_mod.${name}`],
  [
    '_orig_mod.',
    (name: string) =>
      name.replace(/layers\.(\d+)\./, 'layers.$1._orig_mod.').replace('norm.', '_orig_mod.norm.'),
  ],
  ['base_model.model.', (name: string) => `base_model.model.${name}`],
  ['_orig_mod.', (name: string) => `module._orig_mod.${name}`],
  ['_fsdp_wrapped_module.', (name: string) => `_fsdp_wrapped_module.${name}`],
  ['model.model.', (name: string) => `model.${name}`],
  ['encoder.', (name: string) => name.replace('model.', 'encoder.')],
  ['transformer.', (name: string) => name.replace('model.', 'transformer.')],
])('names the prefix %s of wrapped tensors', async (prefix, change) => {
  const checkpoint = renamed(change)
  await expect(checkpoint.export()).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    message: expect.stringContaining(`"${prefix}"`),
  })
  expect(readdirSync(checkpoint.parent)).toEqual([])
})

it('takes the tensors of a bare LlamaModel, and no mixture of both', async () => {
  const before = await new CopiedCheckpoint('mha-paper').export()
  const bare = renamed((name) => name.replace(/^model\./, ''))
  expect((await bare.export()).fingerprint).toBe(before.fingerprint)
  const mixed = renamed((name) => (name.includes('norm') ? name.replace(/^model\./, '') : name))
  await expect(mixed.export()).rejects.toThrow('lacks tensor model.layers.0.input_layernorm.weight')
})

it('names an adapter that is not merged', async () => {
  const checkpoint = renamed((name) => name.replace('q_proj.', 'q_proj.base_layer.'))
  await expect(checkpoint.export()).rejects.toThrow(/q_proj\.base_layer\.weight belongs to an adapter/)
})
