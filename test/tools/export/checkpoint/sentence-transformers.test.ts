import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'

const TYPE = 'sentence_transformers.models'
const PLAIN = [
  { idx: 0, name: '0', path: '', type: `${TYPE}.Transformer` },
  { idx: 1, name: '1', path: '1_Pooling', type: `${TYPE}.Pooling` },
  {
    idx: 2,
    name: '2',
    path: '2_Normalize',
    type: 'sentence_transformers.sentence_transformer.modules.normalize.Normalize',
  },
]

/** A folder as sentence-transformers saves it. */
function folder(
  pooling: object | undefined,
  modules: unknown = PLAIN,
  settings: object = {},
): CopiedCheckpoint {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  writeFileSync(checkpoint.path('modules.json'), JSON.stringify(modules))
  writeFileSync(checkpoint.path('config_sentence_transformers.json'), JSON.stringify(settings))
  if (pooling) {
    mkdirSync(checkpoint.path('1_Pooling'))
    writeFileSync(checkpoint.path('1_Pooling/config.json'), JSON.stringify(pooling))
  }
  return checkpoint
}

const LAST = { embedding_dimension: 32, pooling_mode: 'lasttoken', include_prompt: true }
const FLAGS = { word_embedding_dimension: 32, pooling_mode_cls_token: false, pooling_mode_mean_tokens: false }

it.each([
  ['as it is saved now', LAST, PLAIN, { prompts: { query: '', document: '' } }],
  ['as it was saved before', { ...FLAGS, pooling_mode_lasttoken: true }, PLAIN, {}],
  ['without unit length, for the cosine', LAST, PLAIN.slice(0, 2), { similarity_fn_name: 'cosine' }],
  [
    'with prompts for other tasks',
    LAST,
    PLAIN,
    { prompts: { clustering: 'Cluster: ' }, similarity_fn_name: 'dot' },
  ],
])(
  'exports last-token pooling with a template that does the same, %s',
  async (_name, pooling, modules, settings) => {
    await folder(pooling, modules, settings).export({ template: 'paper' })
  },
)

it.each([
  [
    'mean pooling',
    { ...FLAGS, pooling_mode_mean_tokens: true },
    PLAIN,
    {},
    /1_Pooling\/config\.json has pooling mean; the template pools the last token/,
  ],
  ['CLS pooling', { pooling_mode: 'cls' }, PLAIN, {}, /pooling cls/],
  ['two poolings', { pooling_mode: ['lasttoken', 'mean'] }, PLAIN, {}, /pooling lasttoken, mean/],
  ['no stated pooling', {}, PLAIN, {}, /pooling mean/],
  ['a pooling that is not there', undefined, PLAIN, {}, /names 1_Pooling\/config\.json, which is not there/],
  [
    'a further layer',
    LAST,
    [...PLAIN, { idx: 3, path: '3_Dense', type: `${TYPE}.Dense` }],
    {},
    /modules\.json has Dense/,
  ],
  [
    'the model elsewhere',
    LAST,
    [{ ...PLAIN[0], path: '0_Transformer' }],
    {},
    /Transformer \("0_Transformer"\)/,
  ],
  [
    'dot products of any length',
    LAST,
    PLAIN.slice(0, 2),
    { similarity_fn_name: 'dot' },
    /similarity_fn_name "dot"/,
  ],
  [
    'prompts',
    LAST,
    PLAIN,
    { prompts: { query: 'query: ' } },
    /the prompt query "query: "; the template puts ""/,
  ],
  ['modules that are no list', LAST, {}, {}, /modules\.json is not a list/],
])('refuses %s', async (_name, pooling, modules, settings, message) => {
  const checkpoint = folder(pooling, modules, settings)
  await expect(checkpoint.export()).rejects.toMatchObject({
    code: 'CHECKPOINT_UNUSABLE',
    message: expect.stringMatching(message),
  })
  expect(checkpoint.written).toBe(false)
})

it('refuses the pooling of another template, and lower case', async () => {
  await expect(folder(LAST).export({ template: 'released' })).rejects.toThrow(/pools the last 8 tokens/)
  const checkpoint = folder(LAST)
  writeFileSync(checkpoint.path('sentence_bert_config.json'), '{"do_lower_case":true}')
  await expect(checkpoint.export()).rejects.toThrow(/do_lower_case/)
})

it('refuses whole weights with an adapter beside them, unless it is merged', async () => {
  const checkpoint = new CopiedCheckpoint('mha-paper')
  const adapter = new URL('../../../fixtures/adapters/whole-embeddings/', import.meta.url)
  const plain = await checkpoint.export()
  cpSync(adapter, checkpoint.folder, { recursive: true })
  await expect(checkpoint.export({ overwrite: true })).rejects.toThrow(
    /adapter_config\.json.*transformers would merge/,
  )
  const merged = await checkpoint.export({ overwrite: true, adapter: checkpoint.folder })
  expect(merged.fingerprint).not.toBe(plain.fingerprint)
})
