import { readFileSync, writeFileSync } from 'node:fs'
import { copyFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import { Random, randomDocument } from '../random.ts'
import { countOf, crash, DIMENSIONS, type Opened, openIn, scratchFolder } from '../scratch.ts'

const ACKNOWLEDGED = 20
const missing = ({ notices }: Opened) => notices.filter(({ kind }) => kind === 'commits-missing')
const store = (index: DocumentIndex, name: string) =>
  index.upsert([randomDocument(new Random(name.length), name, DIMENSIONS)])

/** What a process leaves behind that is killed after so many acknowledged writes, all of them in the log. */
async function killed(writes = ACKNOWLEDGED): Promise<string> {
  const folder = await scratchFolder()
  const index = await openIn(folder)
  for (let i = 0; i < writes; i++) await store(index, `document-${i}`)
  return crash(index, folder)
}

const log = (folder: string) => join(folder, 'store.sqlite-wal')
const count = (folder: string) => join(folder, 'commit-count')

describe('acknowledged writes that the database has lost', () => {
  it.each<[string, (folder: string) => Promise<unknown>]>([
    ['its log was removed', (folder) => rm(log(folder))],
    ['its log was emptied', (folder) => truncate(log(folder), 0)],
    ['its log was cut', (folder) => truncate(log(folder), 150_000)],
    [
      'a bit of its log was flipped',
      async (folder) => {
        const bytes = readFileSync(log(folder))
        const middle = Math.floor(bytes.length / 2)
        bytes[middle] = bytes[middle]! ^ 1
        writeFileSync(log(folder), bytes)
      },
    ],
  ])('are said when %s, at every start, with their number', async (_, damage) => {
    const folder = await killed()
    await damage(folder)
    const index = await openIn(folder)
    const lost = ACKNOWLEDGED - (await countOf(index))
    expect(lost).toBeGreaterThan(0)
    expect(missing(index)).toMatchObject([{ level: 'error', facts: { missing: lost } }])
    expect((await index.stats()).own).toMatchObject({ missingCommits: lost })
    await store(index, 'later')
    await index.close()
    const again = await openIn(folder)
    expect(missing(again)).toMatchObject([{ facts: { missing: lost } }])
  })

  it('are said by refusing to start when the tables are gone with them', async () => {
    for (const damage of [rm, (path: string) => truncate(path, 0)]) {
      const folder = await killed()
      await rm(log(folder))
      await damage(join(folder, 'store.sqlite'))
      await expect(openIn(folder)).rejects.toMatchObject({
        code: 'STORE_UNUSABLE',
        message: expect.stringMatching(/has held documents.*missing or empty.*Restore it from a backup/),
      })
    }
  })

  it('are counted once each, over several losses', async () => {
    const first = await scratchFolder()
    const index = await openIn(first)
    await store(index, 'kept')
    await index.close()
    let folder = first
    for (const sum of [3, 6]) {
      const again = await openIn(folder)
      for (let i = 0; i < 3; i++) await store(again, `lost-${i}`)
      folder = await crash(again, folder)
      await rm(log(folder))
      const after = await openIn(folder)
      expect(missing(after)).toMatchObject([{ facts: { missing: sum } }])
      expect(await countOf(after)).toBe(1)
      await after.close()
    }
  })
})

describe('nothing is said to be missing', () => {
  const saysNothing = async (folder: string, documents = ACKNOWLEDGED) => {
    const index = await openIn(folder)
    expect(index.notices.filter(({ kind }) => kind.startsWith('commit'))).toEqual([])
    expect(await countOf(index)).toBe(documents)
    expect((await index.stats()).own).toMatchObject({ missingCommits: 0 })
    await index.close()
  }

  it('after a process was killed, or closed', async () => {
    const folder = await killed()
    await saysNothing(folder)
    await saysNothing(folder)
  })

  it('after a power loss, which may leave an older count', async () => {
    const folder = await scratchFolder()
    const index = await openIn(folder)
    await store(index, 'document-0')
    const older = readFileSync(count(folder))
    for (let i = 1; i < ACKNOWLEDGED; i++) await store(index, `document-${i}`)
    const left = await crash(index, folder)
    await writeFile(count(left), older)
    await saysNothing(left)
  })

  it('when the count is gone, cut, or a bit of it is flipped', async () => {
    const folder = await killed()
    await saysNothing(folder)
    for (let at = 0; at < 40; at++) {
      for (const slot of [0, 4096]) {
        const bytes = readFileSync(count(folder))
        bytes[slot + at] = bytes[slot + at]! ^ (1 << (at % 8))
        writeFileSync(count(folder), bytes)
      }
      if (at % 10 === 0) await saysNothing(folder)
    }
    await truncate(count(folder), 5)
    await saysNothing(folder)
    await rm(count(folder))
    await saysNothing(folder)
  })

  it('when the database was put alone into an empty folder, or beside the count of another', async () => {
    const [folder, other, empty] = [await killed(), await killed(30), await scratchFolder()]
    await saysNothing(folder)
    await copyFile(join(folder, 'store.sqlite'), join(empty, 'store.sqlite'))
    await saysNothing(empty)
    await copyFile(count(other), count(empty))
    await saysNothing(empty)
  })
})
