import { expect, test } from 'vitest'
import { verifyCommand } from '../../../src/tools/verify/command.ts'
import { ran } from '../../cli/run-command.ts'
import { tinyReranker } from '../../fixtures/tiny-reranker.ts'
import { damage, largeModel } from '../../model/large-model.ts'

test('verify --model reads every file of a model through', async () => {
  const folder = await largeModel()
  expect(await ran(verifyCommand, ['--model', folder])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^tiny-mha-paper: 3 files, .* are as the card says\.\n$/),
  })
  damage(folder)
  expect(await ran(verifyCommand, ['--model', folder])).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^tiny-mha-paper: model\.onnx\.data of the model is not the file .*\n$/),
    stderr: expect.stringContaining('Copy or export the whole model again'),
  })
})

test('verify --model reads a reranker, too', async () => {
  expect(await ran(verifyCommand, ['--model', await tinyReranker()])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^tiny-reranker: 2 files, .* are as the card says\.\n$/),
  })
})

test('verify --model checks nothing else', async () => {
  expect(await ran(verifyCommand, ['--model', 'llara-mini', '--repair'])).toMatchObject({ status: 2 })
  expect(await ran(verifyCommand, ['--model', 'no-such-model'])).toMatchObject({ status: 2 })
})
