import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Metadata } from '../../src/index/json.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { damageRows } from './damage.ts'
import { named } from './documents.ts'
import { KILLED_BATCH } from './killed.ts'
import { Random } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder, searchVectors } from './scratch.ts'

const child = new URL('./patch-until-killed.ts', import.meta.url)
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const patchOf = (merge: Metadata) => ({ merge, bytesMax: 1000, valuesMax: 10 })

describe('metadata that is patched', () => {
  it('is whole after kill -9, each patch for all of its documents or for none', async () => {
    const dataDir = await scratchFolder()
    const running = spawn(process.execPath, ['--import', tsx, child.pathname, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(running, 'exit')
    let last = 0
    for await (const line of createInterface({ input: running.stdout })) {
      last = Number(line)
      if (last === 15) running.kill('SIGKILL')
    }
    expect((await exited)[1]).toBe('SIGKILL')

    const index = await openIn(dataDir)
    const { documents } = await index.scan({ limit: 1000, fields: ['metadata'] })
    expect(documents).toHaveLength(KILLED_BATCH)
    const round = Number(documents[0]?.metadata?.['round'])
    expect(round).toBeGreaterThanOrEqual(last)
    for (const { id, metadata } of documents) {
      expect(metadata).toEqual({ kept: Number(id.slice(1)), round, [`odd${round % 2}`]: round })
    }
    // What filters read says the same as the documents.
    expect(await index.count({ filter: parseFilter({ round, [`odd${round % 2}`]: round }) })).toBe(
      KILLED_BATCH,
    )
    expect(await index.count({ filter: parseFilter({ [`odd${(round + 1) % 2}`]: { $exists: true } }) })).toBe(
      0,
    )
    expect(index.notices.filter(({ level }) => level !== 'info')).toEqual([])
    expect(await index.stats()).toMatchObject({ own: { damagedDocuments: 0, tombstones: 0 } })
  })

  it('does not hide damage: a damaged document is refused by id and left alone by filter', async () => {
    const random = new Random(1)
    const dataDir = await scratchFolder()
    const first = await openIn(dataDir)
    await first.upsert(['a', 'b', 'c'].map((id) => named(id, random.unitVector(DIMENSIONS), { n: 1 })))
    await first.close()
    damageRows(dataDir, "UPDATE documents SET text = 'Text of b' WHERE id = 'b'")
    const index = await openIn(dataDir, { scrubHours: 0 })
    await expect(index.patch({ ids: ['a', 'b'] }, patchOf({ n: 2 }))).rejects.toMatchObject({
      code: 'DOCUMENT_DAMAGED',
    })
    expect((await index.get(['a']))[0]?.metadata).toEqual({ n: 1 })
    expect(await index.patch({ filter: parseFilter({ n: 1 }) }, patchOf({ n: 2 }))).toEqual({ patched: 2 })
    await expect(index.get(['b'])).rejects.toMatchObject({ code: 'DOCUMENT_DAMAGED' })
  })

  it('is found by searches that run while it changes', async () => {
    const random = new Random(2)
    const index = await openIn(await scratchFolder(), { sliceMsMax: 1 })
    const vectors = Array.from({ length: 300 }, () => random.unitVector(DIMENSIONS))
    await index.upsert(vectors.map((vector, i) => named(`d${i}`, vector, { side: 'left' })))
    const filter = (side: string) => parseFilter({ side })
    for (const [from, to] of [
      ['left', 'right'],
      ['right', 'left'],
    ] as const) {
      const patching = index.patch({ filter: filter(from) }, patchOf({ side: to }))
      const [during] = await searchVectors(index, vectors.slice(0, 1), 300, { filter: filter(from) })
      // All of before the commit, or all of after it.
      expect([0, 300]).toContain(during?.hits.length)
      expect(await patching).toEqual({ patched: 300 })
      const [after] = await searchVectors(index, vectors.slice(0, 1), 300, { filter: filter(to) })
      expect(after?.hits).toHaveLength(300)
      for (const hit of after?.hits ?? []) expect(hit.document?.metadata).toEqual({ side: to })
    }
  })
})
