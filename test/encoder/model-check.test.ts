import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import request from 'supertest'
import { expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { defaultConfig } from '../../src/config/read.ts'
import { openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import type { ServiceError } from '../../src/errors.ts'
import type { ModelCheck } from '../../src/inference/thread/model-thread.ts'
import { damage, largeModel } from '../model/large-model.ts'

const open = (modelFolder: string, check?: ModelCheck) =>
  openOnnxEncoder({ modelFolder, device: 'cpu', intraOpThreads: 1, ...(check && { check }) })

const UNUSABLE = {
  code: 'MODEL_UNUSABLE',
  message: expect.stringMatching(/^model\.onnx\.data of the model .*sha256 differs.*whole model again\.$/),
}

test('a large file is read through before the encoder opens', async () => {
  const folder = await largeModel()
  await (await open(folder)).close()
  damage(folder)
  await expect(open(folder)).rejects.toMatchObject(UNUSABLE)
})

test('in the background: the encoder works at once, and dies when the file turns out to be another', async () => {
  const folder = await largeModel()
  damage(folder)
  const encoder = await open(folder, 'background')
  const death = await new Promise<ServiceError>((resolve) => encoder.onDeath(resolve))
  expect(death).toMatchObject(UNUSABLE)
  await expect(encoder.encode(['text'], ['ebar'])).rejects.toMatchObject(UNUSABLE)
  await encoder.close()
})

test('in the background: a close does not wait for the reading, and nothing dies afterwards', async () => {
  const folder = await largeModel()
  damage(folder)
  const encoder = await open(folder, 'background')
  let died = false
  const closing = encoder.close()
  encoder.onDeath(() => (died = true))
  await closing
  await new Promise((done) => setTimeout(done, 50))
  expect(died).toBe(false)
})

test('off: sizes alone are compared', async () => {
  const folder = await largeModel()
  damage(folder)
  const encoder = await open(folder, 'off')
  expect((await encoder.encode(['text'], ['ebar'])).vectors.ebar).toHaveLength(1)
  await encoder.close()
})

test('MODEL_CHECK: the service is never ready, or stops being so', async () => {
  const model = await largeModel()
  damage(model)
  const config = {
    ...defaultConfig(),
    port: 0,
    device: 'cpu',
    threads: 1,
    logLevel: 'silent',
    model,
  } as const
  const dataDir = () => mkdtempSync(join(tmpdir(), 'llara-check-'))
  const before = await createApp({ ...config, dataDir: dataDir() })
  await expect(before.start()).rejects.toMatchObject(UNUSABLE)
  await before.close()
  let failed: (error: ServiceError) => void
  const failure = new Promise<ServiceError>((resolve) => (failed = resolve))
  const later = await createApp(
    { ...config, dataDir: dataDir(), modelCheck: 'background' },
    {},
    { onFailure: (error) => failed(error) },
  )
  await later.start().catch(() => {})
  expect(await failure).toMatchObject(UNUSABLE)
  await request(later.server.server).get('/readyz').expect(503)
  await later.close()
})
