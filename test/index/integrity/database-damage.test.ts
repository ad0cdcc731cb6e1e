import { open, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connect } from '../../../src/index/embedded/database/connection.ts'
import { countOf, IDENTITY, openIn } from '../scratch.ts'
import { wholeFolder } from '../whole-folder.ts'

const whole = wholeFolder()

describe('a damaged database', () => {
  const database = (folder: string) => join(folder, 'store.sqlite')
  const damages: [string, (folder: string) => Promise<unknown>][] = [
    [
      'is no database',
      (folder) => writeFile(database(folder), 'not a database, but long enough '.repeat(50)),
    ],
    ['is cut to nothing', (folder) => truncate(database(folder), 0)],
    ['is gone', (folder) => rm(database(folder))],
    ['is cut in its header', (folder) => truncate(database(folder), 60)],
    ['is cut after its first page', (folder) => truncate(database(folder), 8192)],
    ['is cut in the middle', (folder) => truncate(database(folder), 8192 * 20)],
    [
      'has its header overwritten',
      async (folder) => {
        const handle = await open(database(folder), 'r+')
        await handle.write(Buffer.alloc(100, 0xaa), 0, 100, 0)
        await handle.close()
      },
    ],
  ]
  it.each(damages)('is refused, saying what to do, when it %s', async (_, damage) => {
    const folder = await whole.copy()
    await damage(folder)
    await expect(openIn(folder)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(/[Rr]estore (it from )?a backup|Use another DATA_DIR/),
    })
  })
})

describe('an index of another identity', () => {
  it('is refused, naming both, and left as it was', async () => {
    const folder = await whole.copy()
    await expect(openIn(folder, {}, { ...IDENTITY, fingerprint: 'model-b' })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(/model-a, 16 dimensions.*model-b, 16 dimensions.*another DATA_DIR/),
      details: { storedFingerprint: 'model-a', modelFingerprint: 'model-b' },
    })
    await expect(openIn(folder, {}, { ...IDENTITY, dimensions: 8 })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
    })
    expect(await countOf(await openIn(folder))).toBe(1500)
  })

  it('is refused when its format is newer, or it is not ours', async () => {
    for (const [sql, message] of [
      ['PRAGMA user_version = 4', /format 4; this program reads formats 1 to 3/],
      ['PRAGMA user_version = 0', /format 0; this program reads formats 1 to 3/],
      ['PRAGMA application_id = 1', /another program/],
    ] as const) {
      const folder = await whole.copy()
      const db = connect(join(folder, 'store.sqlite'))
      db.exec(sql)
      db.close()
      await expect(openIn(folder)).rejects.toMatchObject({
        code: 'STORE_UNUSABLE',
        message: expect.stringMatching(message),
      })
    }
  })
})
