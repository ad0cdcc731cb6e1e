import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCard } from '../../src/model/read-card.ts'
import { verifyModel } from '../../src/model/verify-model.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { damage, largeModel } from './large-model.ts'

async function copied(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'llara-verify-'))
  cpSync(await tinyModel(), folder, { recursive: true })
  return folder
}

test('a whole model has no fault, and every byte is read', async () => {
  const folder = await largeModel()
  let read = 0
  const found = await verifyModel(folder, { onBytes: (bytes) => (read += bytes) })
  expect(found).toMatchObject({ id: 'tiny-mha-paper', files: 3, faults: [] })
  expect(read).toBe(found.bytes)
})

test('one changed byte of a large file is found, which reading the card alone does not see', async () => {
  const folder = await largeModel()
  damage(folder)
  expect(readCard(folder).id).toBe('tiny-mha-paper')
  const { faults } = await verifyModel(folder)
  expect(faults).toEqual([
    expect.stringMatching(/^model\.onnx\.data of the model is not the file .* \(sha256 differs\)$/),
  ])
})

test('every damaged file is named, none by where it lies', async () => {
  const folder = await copied()
  truncateSync(join(folder, 'model.onnx'), 100)
  rmSync(join(folder, 'tokenizer.json'))
  const { faults } = await verifyModel(folder)
  expect(faults).toHaveLength(2)
  expect(faults.join()).toMatch(
    /model\.onnx of the model has 100 bytes.*tokenizer\.json of the model is missing/,
  )
  expect(faults.join()).not.toContain(folder)
})

test('weights that the card does not list are a fault, and the model is refused', async () => {
  const folder = await copied()
  writeFileSync(join(folder, 'model.onnx.data'), 'anything')
  expect((await verifyModel(folder)).faults.join()).toContain('its card does not list it')
  expect(() => readCard(folder)).toThrow(
    /model\.onnx\.data lies in the model's folder, but its card does not list it/,
  )
})

test('a card that cannot be read is a fault too', async () => {
  const folder = await copied()
  writeFileSync(join(folder, 'model.json'), readFileSync(join(folder, 'model.json')).subarray(0, 100))
  expect(await verifyModel(folder)).toMatchObject({ id: null, faults: [expect.stringContaining('JSON')] })
})

test('it can be stopped', async () => {
  const folder = await largeModel()
  await expect(verifyModel(folder, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  })
})
