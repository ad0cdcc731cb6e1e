import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { idsOf, indexed } from './documents.ts'
import { Random } from './random.ts'
import { countOf, DIMENSIONS, openIn, scratchFolder } from './scratch.ts'

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const child = new URL('./limited-files.ts', import.meta.url).pathname

const random = new Random(21)
const batch = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    indexed(
      { id: `${name}${i}`, title: null, text: 'x'.repeat(2000), metadata: { name } },
      random.unitVector(DIMENSIONS),
    ),
  )

it('room is held back, and the setting says how much', async () => {
  const dataDir = await scratchFolder()
  const first = await openIn(dataDir, { reserveBytes: 3_000_000 })
  expect((await stat(join(dataDir, 'reserve'))).size).toBe(3_000_000)
  await first.close()
  const second = await openIn(dataDir, { reserveBytes: 1_000_000 })
  expect((await stat(join(dataDir, 'reserve'))).size).toBe(1_000_000)
  await second.close()
})

it('a full database can be emptied and filled again, and the reserve is back each time', async () => {
  const dataDir = await scratchFolder()
  const limits = { databaseBytesMax: 614_400, reserveBytes: 1_000_000 }
  const index = await openIn(dataDir, limits)
  for (let round = 0; round < 3; round++) {
    const kept: string[] = []
    for (let n = 0; ; n++) {
      const documents = batch(`r${round}b${n}-`, 10)
      const stored = await index.upsert(documents).then(
        () => true,
        ({ code }) => code !== 'STORE_UNUSABLE',
      )
      if (!stored) break
      kept.push(...idsOf(documents))
    }
    expect(kept.length).toBeGreaterThan(100)
    expect(await countOf(index)).toBe(kept.length)
    expect(await index.remove({ ids: kept })).toEqual({ removed: kept.length })
    expect((await stat(join(dataDir, 'reserve'))).size).toBe(1_000_000)
  }
  expect((await stat(join(dataDir, 'store.sqlite'))).size).toBeLessThanOrEqual(614_400)
  await index.close()
  expect(await countOf(await openIn(dataDir, limits))).toBe(0)
})

it('a log that may not grow is emptied, and the write is done', async () => {
  const dataDir = await scratchFolder()
  // Blocks of 512 bytes, or of 1024: files of two or four megabytes at most, where the log would take eight.
  const command = `trap '' XFSZ; ulimit -f 4096; exec "$@"`
  const running = spawn('sh', ['-c', command, 'sh', process.execPath, '--import', tsx, child, dataDir])
  const [said, faults] = await Promise.all([
    text(running.stdout),
    text(running.stderr),
    once(running, 'exit'),
  ])
  expect(faults).toBe('')
  expect(JSON.parse(said)).toEqual({ replaced: 1900, removed: 100 })
})
