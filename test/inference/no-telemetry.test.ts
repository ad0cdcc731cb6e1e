import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'

const module = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)

/**
 * The runtime's telemetry leaves a device id and a database in the home folder. It keeps still where it sees CI or
 * a unit test, so the process gets an environment without any sign of those.
 */
async function homeAfter(script: string): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'llara-home-'))
  try {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const env = { PATH: process.env['PATH'], HOME: home, TMPDIR: home }
    const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
    expect(stderr).not.toMatch(/telemetry/i)
    return readdirSync(home, { recursive: true })
      .map(String)
      .filter((path) => /onnxruntime|microsoft/i.test(path))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

test('the encoder leaves no telemetry behind', async () => {
  const modelFolder = JSON.stringify(await tinyModel())
  const script = `
    const { openOnnxEncoder } = await import(${module('encoder/onnx/onnx-encoder.ts')})
    const encoder = await openOnnxEncoder({ modelFolder: ${modelFolder}, device: 'cpu' })
    await encoder.encode(['text'], ['ebar'], { lane: 'interactive' })
    await encoder.close()`
  expect(await homeAfter(script)).toEqual([])
})

test('nor does a model opened on the main thread', async () => {
  const path = JSON.stringify(join(await tinyModel(), 'model.onnx'))
  const script = `
    const { openSession } = await import(${module('inference/session.ts')})
    const session = await openSession(${path}, { provider: 'cpu', intraOpThreads: 1, spinning: false, deviceId: 0 })
    await session.release()`
  expect(await homeAfter(script)).toEqual([])
})
