import { type ChildProcess, spawn } from 'node:child_process'
import { linkSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { verifyCommand } from '../../../src/tools/verify/command.ts'
import { ran } from '../../cli/run-command.ts'
import { damageRows, databaseOf, zeroPageWith } from '../damage.ts'
import { idsOf, vectorOf } from '../documents.ts'
import { killAfter } from '../kill-after.ts'
import { IDENTITY, openIn, searchVectors } from '../scratch.ts'
import { documents, wholeFolder } from '../whole-folder.ts'

const whole = wholeFolder()
const REBUILT = 'store.sqlite.rebuilt'
const MOMENTS_MS = [0, 40, 160]

/** A page of vectors is gone, and one text: documents on several pages are lost, all others can be read. */
async function damagedFolder(): Promise<string> {
  const folder = await whole.copy()
  damageRows(folder, "UPDATE documents SET text = 'x' WHERE document = 77")
  zeroPageWith(folder, Buffer.from(vectorOf(documents[700]!).buffer))
  return folder
}

/** Waits for a rebuild that the start may have begun. @returns the ids that are served, all of them right */
async function served(folder: string): Promise<string[]> {
  const index = await openIn(folder)
  while ((await index.stats()).own['fileDamaged'] !== 0) {
    expect(index.notices.map(({ kind }) => kind)).not.toContain('database-not-rebuilt')
    await sleep(5)
  }
  const { documents: found } = await index.scan({ limit: 10_000 })
  const given = new Map(documents.map(({ document }) => [document.id, document]))
  for (const document of found) expect(document).toEqual(given.get(document.id))
  const ids = found.map(({ id }) => id)
  const kept = documents.filter(({ document: { id } }) => ids.includes(id))
  const hits = await searchVectors(index, kept.slice(0, 100).map(vectorOf), 1)
  expect(hits.map((result) => result.hits[0]?.id)).toEqual(idsOf(kept.slice(0, 100)))
  expect((await index.stats()).own['damagedDocuments']).toBe(documents.length - ids.length)
  // It is written to as before.
  expect(await index.upsert(documents.slice(70, 80))).toEqual({ created: 0, updated: 10 })
  await index.close()
  return ids
}

/** What is left beside the database that a rebuild in progress needs. */
function leftovers(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(REBUILT))
}

let readableIds: Promise<string[]> | undefined
/** What a rebuild that nothing ends keeps. */
function readable(): Promise<string[]> {
  readableIds ??= damagedFolder().then(served)
  return readableIds
}

function repairing(folder: string): ChildProcess {
  const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
  return spawn(process.execPath, [main, 'verify', '--data-dir', folder, '--repair'], { stdio: 'ignore' })
}

function serving(folder: string): ChildProcess {
  const child = fileURLToPath(new URL('../open-folder.ts', import.meta.url))
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const argv = ['--import', tsx, child, folder, JSON.stringify(IDENTITY)]
  return spawn(process.execPath, argv, { stdio: 'ignore' })
}

describe.each([
  ['verify --repair', repairing],
  ['the rebuild of a service', serving],
])('%s that ends by kill -9', (_, start) => {
  it.each(MOMENTS_MS)('%i ms after it began to write leaves what could be read', async (ms) => {
    const folder = await damagedFolder()
    const begun = () => readdirSync(folder).some((name) => /^store\.(sqlite\.rebuilt|damaged-)/.test(name))
    await killAfter(start(folder), begun, ms)
    expect(await served(folder)).toEqual(await readable())
    expect(leftovers(folder)).toEqual([])
  })
})

describe('a rebuild that ended', () => {
  it('where nothing ended it, kept all but some documents', async () => {
    const { length } = await readable()
    expect(length).toBeGreaterThan(1300)
    expect(length).toBeLessThan(1499)
  })

  const stages: [string, (folder: string) => unknown][] = [
    [
      'while it wrote',
      (folder) => {
        writeFileSync(join(folder, REBUILT), Buffer.alloc(20_000, 7))
        writeFileSync(join(folder, `${REBUILT}-journal`), 'half a journal')
      },
    ],
    [
      'when the damaged database had its second name',
      (folder) => {
        writeFileSync(join(folder, REBUILT), Buffer.alloc(20_000, 7))
        linkSync(databaseOf(folder), join(folder, 'store.damaged-1700000000000.sqlite'))
      },
    ],
  ]
  it.each(stages)('%s is begun again', async (_, happens) => {
    const started = await damagedFolder()
    happens(started)
    expect(await served(started)).toEqual(await readable())
    expect(leftovers(started)).toEqual([])

    const repaired = await damagedFolder()
    happens(repaired)
    expect(await ran(verifyCommand, ['--data-dir', repaired, '--repair'])).toMatchObject({ status: 0 })
    expect(leftovers(repaired)).toEqual([])
    expect(await served(repaired)).toEqual(await readable())
  })
})
