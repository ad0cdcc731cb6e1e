import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type DeviceChoice, openOnDevice } from '../../src/inference/device.ts'
import { type Card, MODEL_FILES } from '../../src/model/card.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

describe('the device', () => {
  const open = async (device: DeviceChoice, precision: Card['precision'] = 'fp32') => {
    const path = join(await tinyModel(), MODEL_FILES.model)
    const opened = await openOnDevice(path, precision, {
      device,
      deviceId: 0,
      intraOpThreads: 1,
      spinning: false,
    })
    await opened.session.release()
    return opened.device
  }

  test('is what was asked for', async () => {
    expect(await open('cpu')).toEqual({ provider: 'cpu', reason: 'as configured' })
  })

  test('is refused where the precision was not made for it', async () => {
    for (const precision of ['int8', 'int4'] as const) {
      await expect(open('cuda', precision)).rejects.toMatchObject({
        code: 'MODEL_UNUSABLE',
        message: expect.stringMatching(`cuda: .*${precision}`),
      })
    }
    await expect(open('cpu', 'fp16')).rejects.toMatchObject({
      code: 'MODEL_UNUSABLE',
      message: expect.stringMatching(/cpu: .*fp16 .*The CPU was chosen as configured\.$/),
    })
  })

  test('left open, it is the CPU for a model made for it, and the reason says why', async () => {
    for (const precision of ['int8', 'int4'] as const) {
      const reason = expect.stringMatching(precision)
      expect(await open('auto', precision)).toEqual({ provider: 'cpu', reason })
    }
  })
})
