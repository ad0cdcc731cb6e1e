import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { idsOf, indexed, vectorOf } from './documents.ts'
import { DIMENSIONS, KILLED_BATCH } from './killed.ts'
import { Random, randomDocument } from './random.ts'
import { countOf, openIn, scratchFolder, searchVectors } from './scratch.ts'

const child = new URL('./upsert-until-killed.ts', import.meta.url)
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/** @returns the last batch that was acknowledged before the kill */
async function runUntilKilled(dataDir: string, first: number, batches: number): Promise<number> {
  const running = spawn(process.execPath, ['--import', tsx, child.pathname, dataDir, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(running, 'exit')
  let last = first - 1
  for await (const line of createInterface({ input: running.stdout })) {
    last = Number(line)
    if (last === first) await expect(openIn(dataDir)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    if (last === first + batches - 1) running.kill('SIGKILL')
  }
  expect((await exited)[1]).toBe('SIGKILL')
  return last
}

describe('after kill -9', () => {
  it('every acknowledged batch is there, whole, and searchable', async () => {
    const dataDir = await scratchFolder()
    let next = 1
    for (const batches of [3, 12, 30]) {
      const last = await runUntilKilled(dataDir, next, batches)
      const index = await openIn(dataDir)
      for (let batch = next; batch <= last; batch++) {
        const random = new Random(batch)
        const given = Array.from({ length: KILLED_BATCH }, (_, i) =>
          randomDocument(random, i % 3 === 0 ? `b${batch - 1}-${i + 1}` : `b${batch}-${i}`, DIMENSIONS),
        )
        // What the next batch replaced (acknowledged or not) is not asked for.
        const kept = given.filter(
          ({ document: { id } }) => !(id.startsWith(`b${batch}-`) && Number(id.split('-')[1]) % 3 === 1),
        )
        const found = await index.get(idsOf(kept))
        expect(found).toEqual(kept.map(({ document }) => document))
        const hits = await searchVectors(index, kept.map(vectorOf), 1)
        expect(hits.map((result) => result.hits[0]?.id)).toEqual(idsOf(kept))
      }
      const { documents } = await index.scan({ limit: 10_000 })
      expect(await countOf(index)).toBe(documents.length)
      // Batches are whole or absent: each brings two thirds of new ids (the first one, its replacements too).
      expect(documents.filter(({ id }) => id.startsWith(`b${last + 1}-`)).length % 20).toBe(0)
      await index.close()
      next = last + 2
    }
  })
})

describe('one folder', () => {
  it('is not opened with parameters that cannot work', async () => {
    const dataDir = await scratchFolder()
    for (const limits of [
      { hnswM: 1 },
      { hnswEf: 0 },
      { tombstonePercentMax: 200 },
      { sliceMsMax: Number.NaN },
    ]) {
      await expect(openIn(dataDir, limits)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    }
    const identity = { dimensions: 0, fingerprint: 'model-a' }
    await expect(openIn(dataDir, {}, identity)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('is open once at a time, and free again after close', async () => {
    const dataDir = await scratchFolder()
    const first = await openIn(dataDir)
    await expect(openIn(dataDir)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('Another process is using'),
    })
    await first.upsert([randomDocument(new Random(1), 'a', DIMENSIONS)])
    await first.close()
    expect(await countOf(await openIn(dataDir))).toBe(1)
  })
})

describe('a database that is full', () => {
  it('refuses the write, keeps nothing of it, and goes on answering', async () => {
    const random = new Random(5)
    const batch = (name: string, n: number) =>
      Array.from({ length: n }, (_, i) => {
        const { document, passages } = randomDocument(random, `${name}${i}`, DIMENSIONS)
        return indexed({ ...document, text: 'x'.repeat(2000) }, passages[0]!.vector)
      })
    const dataDir = await scratchFolder()
    const index = await openIn(dataDir, { databaseBytesMax: 600_000 })
    const kept = batch('kept', 50)
    await index.upsert(kept)
    await expect(index.upsert(batch('lost', 500))).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('full'),
    })
    expect(await countOf(index)).toBe(50)
    expect(await index.get(['lost0', 'kept0'])).toMatchObject([undefined, { id: 'kept0' }])
    const results = await searchVectors(index, kept.map(vectorOf), 1)
    expect(results.map(({ hits }) => hits[0]?.id)).toEqual(idsOf(kept))
    await index.remove({ ids: ['kept0', 'kept1'] })
    await index.upsert(batch('small', 1))
    await index.close()
    const again = await openIn(dataDir)
    expect(await countOf(again)).toBe(49)
  })
})
