import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { exportModel } from '../../../../src/tools/export/export-model.ts'
import { rerankerSource } from '../../../fixtures/golden-rerankers.ts'
import type { RerankerOptions } from '../../../fixtures/tiny-reranker.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'
import { readTensorFile, type Tensor, tensorFile } from '../tensor-file.ts'

const COMMON = { precision: 'fp32', licence: 'none', source: 'random weights' } as const

function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), 'llara-reranker-'))
}

function editTensors(path: string, change: (tensors: Map<string, Tensor>) => void): void {
  const tensors = readTensorFile(readFileSync(path))
  change(tensors)
  writeFileSync(path, tensorFile(tensors))
}

/** A copy of a fixture's folder. */
function copyOf(folder: string): string {
  const copy = freshFolder()
  cpSync(folder, copy, { recursive: true })
  return copy
}

const exported = (options: RerankerOptions & { checkpoint: string }) =>
  exportModel({ ...COMMON, template: 'rankllama', out: join(freshFolder(), 'model'), ...options })

const refused = (message: RegExp) => ({
  code: 'CHECKPOINT_UNUSABLE',
  message: expect.stringMatching(message),
})

it('a classifier of several labels', async () => {
  const { checkpoint } = rerankerSource('classifier')
  const folder = copyOf(checkpoint)
  editTensors(join(folder, 'model.safetensors'), (tensors) => {
    const score = tensors.get('score.weight')!
    tensors.set('score.weight', { ...score, shape: [2, 32], data: Buffer.concat([score.data, score.data]) })
  })
  await expect(exported({ checkpoint: folder })).rejects.toMatchObject(
    refused(/score\.weight has shape \[2,32\]: a classifier of 2 labels\. A reranker gives one score/),
  )
})

it('a classifier without its head, in the checkpoint and in the adapter', async () => {
  const { checkpoint, adapter } = rerankerSource('lora')
  await expect(exported({ checkpoint })).rejects.toMatchObject(refused(/lacks tensor score\.weight/))
  const headless = copyOf(adapter!)
  editTensors(join(headless, 'adapter_model.safetensors'), (tensors) => {
    for (const name of tensors.keys()) if (name.includes('score')) tensors.delete(name)
  })
  await expect(exported({ checkpoint, adapter: headless })).rejects.toMatchObject(
    refused(/Neither the checkpoint nor the adapter has tensor score\.weight/),
  )
})

it('an LM head that is neither stored nor tied', async () => {
  const copy = new CopiedCheckpoint('mha-released')
  copy.editTensors('model.safetensors', (tensors) => tensors.delete('lm_head.weight'))
  await expect(exported({ checkpoint: copy.folder, template: 'yes-no' })).rejects.toMatchObject(
    refused(/lacks tensor lm_head\.weight/),
  )
  copy.edit('config.json', (config) => (config['tie_word_embeddings'] = 'yes'))
  await expect(exported({ checkpoint: copy.folder, template: 'yes-no' })).rejects.toMatchObject(
    refused(/tie_word_embeddings is "yes"; true or false is needed/),
  )
})

it('an adapter that changes one side of a tied head', async () => {
  const { checkpoint } = rerankerSource('yes-no-tied')
  const adapter = copyOf(join(checkpoint, '..', '..', 'adapters', 'whole-embeddings'))
  await expect(
    exported({ checkpoint, adapter, template: 'yes-no', maxBodyTokens: 44 }),
  ).rejects.toMatchObject(refused(/embed_tokens.*in which they are one \(tie_word_embeddings\)/))
})

it('a classifier’s head in an encoder', async () => {
  const { checkpoint, adapter } = rerankerSource('lora')
  const out = join(freshFolder(), 'model')
  const options = { ...COMMON, checkpoint, out, template: 'paper' } as const
  await expect(exportModel({ ...options, adapter: adapter! })).rejects.toMatchObject(
    refused(/Adapter tensor .*score.* does not belong to a LoRA of this model/),
  )
})

it('positions that leave no room for a text', async () => {
  const { checkpoint } = rerankerSource('yes-no')
  await expect(exported({ checkpoint, template: 'yes-no', maxBodyTokens: 60 })).rejects.toMatchObject(
    refused(/leaves room for \d+ tokens of text beside query and template, and 60 were asked for/),
  )
  const short = new CopiedCheckpoint('mha-released')
  short.edit('config.json', (config) => (config['max_position_embeddings'] = 100))
  await expect(exported({ checkpoint: short.folder, template: 'yes-no' })).rejects.toMatchObject(
    refused(/leaves room for 0 tokens of text/),
  )
})

it('a tokenizer without the tokens of the template', async () => {
  const copy = new CopiedCheckpoint('mha-released')
  copy.edit('tokenizer_config.json', (config) => {
    delete config['bos_token']
    delete config['eos_token']
  })
  for (const [template, token] of [
    ['rankllama', 'bos_token'],
    ['rankllama-eos', 'eos_token'],
  ] as const) {
    const head = copyOf(rerankerSource('classifier').checkpoint)
    cpSync(copy.path('tokenizer_config.json'), join(head, 'tokenizer_config.json'))
    await expect(exported({ checkpoint: head, template })).rejects.toMatchObject(
      refused(new RegExp(`The tokenizer has no ${token}`)),
    )
  }
})

it('other families, by their names', async () => {
  for (const [key, value] of [
    ['model_type', 'gemma'],
    ['auto_map', { AutoModelForCausalLM: 'modeling.LayerWiseMiniCPMForCausalLM' }],
  ] as const) {
    const copy = new CopiedCheckpoint('mha-released')
    copy.edit('config.json', (config) => (config[key] = value))
    await expect(exported({ checkpoint: copy.folder, template: 'yes-no' })).rejects.toMatchObject(
      refused(new RegExp(`config.json: ${key} is`)),
    )
  }
})
