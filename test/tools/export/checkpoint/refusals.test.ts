import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'

const CONFIGS: [key: string, value: unknown][] = [
  ['model_type', undefined],
  ['model_type', null],
  ['auto_map', { AutoModel: 'modeling_llama_encoder.LlamaEncoderModel' }],
  ['architectures', ['LlamaBiModel']],
  ['architectures', ['MistralForCausalLM']],
  ['is_causal', false],
  ['use_bidirectional_attention', true],
  ['bidirectional', 1],
  ['attn_logit_softcapping', 50],
  ['layer_types', ['full_attention', 'sliding_attention']],
  ['use_sliding_window', true],
  ['compression_config', { format: 'pack-quantized' }],
  ['transformers_weights', 'other.safetensors'],
  ['rope_scaling', { rope_type: 'linear', factor: 2 }],
  ['rope_scaling', 'linear'],
  ['rope_theta', 500_000],
  ['model_type', 'mistral'],
  ['attention_bias', 'all'],
  ['mlp_bias', 1],
  ['hidden_act', 'gelu'],
  ['sliding_window', 4096],
  ['quantization_config', { quant_method: 'gptq' }],
  ['partial_rotary_factor', 0.5],
  ['hidden_size', undefined],
  ['num_hidden_layers', 0],
  ['num_key_value_heads', 3],
  ['head_dim', 7],
  ['rms_norm_eps', 'small'],
]

/** Nothing appeared where the model would have gone, not even under another name. */
function expectNothingWritten(checkpoint: CopiedCheckpoint): void {
  expect(checkpoint.written).toBe(false)
  expect(readdirSync(checkpoint.parent)).toEqual([])
}

it.each(CONFIGS)('refuses %s %j by name and writes nothing', async (key, value) => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('config.json', (config) => {
    config[key] = value
  })
  await expect(checkpoint.export()).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    message: expect.stringContaining(
      value === undefined ? `${key} is missing` : `${key} is ${JSON.stringify(value)}`,
    ),
    details: { key },
  })
  expectNothingWritten(checkpoint)
})

it.each(['yarn', 'dynamic', 'longrope'])('refuses rope scaling %s, old style and new', async (kind) => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('config.json', (config) => {
    config['rope_parameters'] = { rope_type: kind, rope_theta: 10_000, factor: 2 }
  })
  const refusal = { code: 'CHECKPOINT_UNUSABLE', message: expect.stringContaining(`"${kind}"`) }
  await expect(checkpoint.export()).rejects.toMatchObject(refusal)
  checkpoint.edit('config.json', (config) => {
    delete config['rope_parameters']
    config['rope_scaling'] = { type: kind, factor: 2 }
  })
  await expect(checkpoint.export()).rejects.toMatchObject(refusal)
  expectNothingWritten(checkpoint)
})

it.each([
  { rope_type: 'default', type: 'linear', rope_theta: 10_000, factor: 2 },
  { full_attention: { rope_type: 'default', rope_theta: 10_000 } },
  {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 64,
  },
])('refuses rope parameters that can be read in two ways: %j', async (rope) => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('config.json', (config) => {
    config['rope_parameters'] = rope
    config['original_max_position_embeddings'] = 128
  })
  await expect(checkpoint.export()).rejects.toMatchObject({ code: 'CHECKPOINT_UNUSABLE' })
  expectNothingWritten(checkpoint)
})

it('takes what says the same twice, or nothing that transformers reads', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  const before = await checkpoint.export()
  checkpoint.edit('config.json', (config) => {
    const theta = (config['rope_parameters'] as { rope_theta: number }).rope_theta
    Object.assign(config, { rope_theta: theta, rope_scaling: { type: 'default', rope_theta: theta } })
    Object.assign(config, { auto_map: {}, sliding_window: null, is_decoder: false, pretraining_tp: 2 })
    Object.assign(config, { architectures: ['LLaMAForCausalLM'], is_causal: true, torch_dtype: 'float32' })
    Object.assign(config, {
      tie_word_embeddings: true,
      final_logit_softcapping: 30,
      use_bidirectional_attention: false,
    })
  })
  expect((await checkpoint.export({ overwrite: true })).fingerprint).toBe(before.fingerprint)
})

it('refuses tensors that config.json does not describe', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('config.json', (config) => {
    config['intermediate_size'] = 64
  })
  await expect(checkpoint.export()).rejects.toThrow(/mlp\.gate_proj\.weight has shape \[48,32\].*\[64,32\]/)
  expectNothingWritten(checkpoint)
})

it('names a tensor that is missing and one that does not belong', async () => {
  const missing = new CopiedCheckpoint('mha-paper')
  const norm = 'model.layers.1.input_layernorm.weight'
  missing.editTensors('model.safetensors', (tensors) => tensors.delete(norm))
  await expect(missing.export()).rejects.toThrow(`lacks tensor ${norm}`)
  const foreign = new CopiedCheckpoint('mha-paper')
  foreign.editTensors('model.safetensors', (tensors) =>
    tensors.set('model.layers.1.self_attn.q_proj.bias', tensors.get(norm)!),
  )
  await expect(foreign.export()).rejects.toThrow('q_proj.bias is not part of a plain LLaMA')
  expectNothingWritten(foreign)
})

it.each([
  ['attention_bias', 'model.layers.0.self_attn.q_proj.bias'],
  ['mlp_bias', 'model.layers.0.mlp.gate_proj.bias'],
])('misses the tensors that %s announces', async (key, tensor) => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('config.json', (config) => {
    config[key] = true
  })
  await expect(checkpoint.export()).rejects.toThrow(`lacks tensor ${tensor}`)
  expectNothingWritten(checkpoint)
})

it('refuses a folder without weights, tokenizer or config', async () => {
  for (const file of ['model.safetensors', 'tokenizer.json', 'config.json']) {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    rmSync(checkpoint.path(file))
    await expect(checkpoint.export()).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringContaining(file),
    })
    expectNothingWritten(checkpoint)
  }
})

it('refuses a shard list that leads out of the folder', async () => {
  const checkpoint = new CopiedCheckpoint('gqa-released')
  checkpoint.edit('model.safetensors.index.json', (index) => {
    ;(index['weight_map'] as Record<string, string>)['model.norm.weight'] = '../elsewhere.safetensors'
  })
  await expect(checkpoint.export()).rejects.toThrow('points outside the checkpoint folder')
})

it('refuses the released template for a tokenizer without its special tokens', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('tokenizer.json', (json) => {
    const tokens = json['added_tokens'] as { content: string }[]
    json['added_tokens'] = tokens.filter(({ content }) => content !== '<s7>')
  })
  await expect(checkpoint.export({ template: 'released' })).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    details: { token: '<s7>' },
  })
  expectNothingWritten(checkpoint)
})

it('refuses a body limit that the positions cannot hold', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  await expect(checkpoint.export({ maxBodyTokens: 256 })).rejects.toThrow(
    'max_position_embeddings leaves room for',
  )
  expectNothingWritten(checkpoint)
})

it('refuses a tokenizer that is larger than the vocabulary', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  checkpoint.edit('tokenizer.json', (json) => {
    ;(json['model'] as { vocab: Record<string, number> }).vocab['zz'] = 5000
  })
  await expect(checkpoint.export()).rejects.toThrow('5000 lies outside')
  expectNothingWritten(checkpoint)
})

it('refuses a template other than the one training.json states', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  const prompts = { prefix: '', ebae_suffix: ' The original sentence: ', ebar_suffix: ' The next sentence: ' }
  writeFileSync(checkpoint.path('training.json'), JSON.stringify({ prompts }))
  await expect(checkpoint.export({ template: 'released' })).rejects.toThrow(
    'training.json says the ebae prefix',
  )
  expectNothingWritten(checkpoint)
  await checkpoint.export({ template: 'paper' })
  prompts.ebar_suffix = ' Next: '
  writeFileSync(checkpoint.path('training.json'), JSON.stringify({ prompts }))
  await expect(checkpoint.export({ overwrite: true })).rejects.toThrow('the ebar suffix was " Next: "')
})
