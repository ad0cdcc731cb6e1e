import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkpointFolder } from '../../../fixtures/tiny-model.ts'
import { filesOf, type HubFile, LoopbackHub } from '../loopback-hub.ts'
import { pull, REPOSITORY } from '../pulls.ts'

const small = (text: string): HubFile => ({ bytes: Buffer.from(text), lfs: false })

let hub: LoopbackHub
beforeEach(async () => {
  hub = await LoopbackHub.start()
})
afterEach(() => hub.close())

it('takes one file of weights rather than shards, as transformers does, and says so', async () => {
  const single = filesOf(checkpointFolder('mha-paper'))['model.safetensors']!
  hub.publishFolder(REPOSITORY, checkpointFolder('gqa-released'), { 'model.safetensors': single })
  const { told } = await pull(hub)
  expect(told.downloaded).toContain('model.safetensors')
  expect(told.downloaded.join()).not.toMatch(/model-0000|index/)
  expect(told.notes.join()).toContain('model.safetensors is taken')
})

it("takes what says how a sentence-transformers' model pools, and no other folder", async () => {
  hub.publishFolder(REPOSITORY, checkpointFolder('mha-paper'), {
    'modules.json': small('[]'),
    'config_sentence_transformers.json': small('{}'),
    'sentence_bert_config.json': small('{}'),
    '1_Pooling/config.json': small('{"pooling_mode":"lasttoken"}'),
    '1_Pooling/other.json': small('{}'),
    '2_Dense/config.json': small('{}'),
    'onnx/config.json': small('{}'),
  })
  const { folder, told } = await pull(hub)
  const taken = ['modules.json', 'config_sentence_transformers.json', 'sentence_bert_config.json']
  expect(told.downloaded).toEqual(expect.arrayContaining([...taken, '1_Pooling/config.json']))
  expect(told.downloaded.join()).not.toMatch(/other|Dense|onnx/)
  expect(readFileSync(join(folder, '1_Pooling/config.json'), 'utf8')).toContain('lasttoken')
  // A later revision without it leaves nothing of it behind.
  hub.publishFolder(REPOSITORY, checkpointFolder('mha-paper'))
  await pull(hub, { folder })
  expect(() => readFileSync(join(folder, '1_Pooling/config.json'))).toThrow('ENOENT')
})

it('writes nowhere else, whatever the record says an earlier pull left', async () => {
  hub.publishFolder(REPOSITORY, checkpointFolder('mha-paper'))
  const { folder } = await pull(hub)
  const record = join(folder, 'pull.json')
  const outside = join(dirname(folder), '1_Pooling', 'config.json')
  mkdirSync(dirname(outside))
  writeFileSync(outside, '{}')
  const json = JSON.parse(readFileSync(record, 'utf8'))
  json.files.push({ ...json.files[0], path: '../1_Pooling/config.json' })
  writeFileSync(record, JSON.stringify(json))
  await pull(hub, { folder })
  expect(readFileSync(outside, 'utf8')).toBe('{}')
})
