import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { tinyModel } from '../../fixtures/tiny-model.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const entry = new URL('../../../src/encoder/onnx/onnx-encoder.ts', import.meta.url).href

/** Exit status of a process that exits with 3 at a moment of its choice. */
function statusOf(script: string): number | null {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'ignore' }).status
}

test('a process that exits in the middle of a batch ends with its own code', async () => {
  const modelFolder = JSON.stringify(await tinyModel())
  const script = `
    const { openOnnxEncoder } = await import('${entry}')
    const limits = { bulkBatchMsMax: 60_000, batchTokensMax: 1_000_000, queueTokensMax: 1_000_000 }
    const options = { modelFolder: ${modelFolder}, device: 'cpu', intraOpThreads: 1, limits }
    const encoder = await openOnnxEncoder(options)
    const texts = new Array(4000).fill('leaves turn red in autumn and fall before the winter comes')
    encoder.encode(texts, ['ebae']).catch(() => {})
    // A text leaves the queue when its batch starts.
    while ((await encoder.stats()).waitingTexts.bulk > 3000) await new Promise((resolve) => setTimeout(resolve, 1))
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.exit(3)`
  expect(statusOf(script)).toBe(3)
})
