import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clusteredDocuments, Random } from './random.ts'
import { countOf, DIMENSIONS, openIn, searchVectors } from './scratch.ts'
import { flip, graphFile, queries, wholeFolder } from './whole-folder.ts'

const whole = wholeFolder()

describe('a saved graph', () => {
  it('is loaded when it is whole', async () => {
    const index = await openIn(await whole.copy())
    expect(index.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
    expect(await index.stats()).toMatchObject({ documents: 1500, own: { tombstones: 0 } })
    expect((await searchVectors(index, queries, 3)).map(({ path }) => path)).toEqual(Array(5).fill('hnsw'))
  })

  const size = async (folder: string) => readFileSync(await graphFile(folder)).length
  const damages: [string, (folder: string) => Promise<unknown>][] = [
    ['is cut to nothing', async (folder) => truncate(await graphFile(folder), 0)],
    ['is cut in its header', async (folder) => truncate(await graphFile(folder), 50)],
    ['is cut in the middle', async (folder) => truncate(await graphFile(folder), 100_000)],
    ['lacks its last byte', async (folder) => truncate(await graphFile(folder), (await size(folder)) - 1)],
    ['has a byte too many', async (folder) => writeFile(await graphFile(folder), 'x', { flag: 'a' })],
    ['has its first byte flipped', async (folder) => flip(await graphFile(folder), 0)],
    ['has its element count flipped', async (folder) => flip(await graphFile(folder), 16)],
    ['has a link flipped', async (folder) => flip(await graphFile(folder), 110)],
    ['has its last byte flipped', async (folder) => flip(await graphFile(folder), (await size(folder)) - 1)],
    ['is gone', async (folder) => rm(await graphFile(folder))],
    ['has no manifest', async (folder) => rm(join(folder, 'graph.json'))],
    ['has a manifest that is no JSON', async (folder) => writeFile(join(folder, 'graph.json'), '{"format"')],
    ['has an empty manifest', async (folder) => writeFile(join(folder, 'graph.json'), '')],
    ['has a manifest of another format', (folder) => edit(folder, { format: 99 })],
    ['belongs to another model', (folder) => edit(folder, { fingerprint: 'model-b' })],
    ['belongs to another database', (folder) => edit(folder, { graphId: '00ff' })],
  ]
  it.each(damages)('is built again, with a notice, when it %s', async (_, damage) => {
    const folder = await whole.copy()
    await damage(folder)
    const index = await openIn(folder)
    expect(index.notices[0]).toMatchObject({ kind: 'graph-rejected', level: 'warn' })
    // Right from the first moment, by exact scoring, and right when the graph is back.
    expect(scores(await searchVectors(index, queries, 10))).toEqual(scores(whole.expected()))
    await expect
      .poll(() => index.notices.map(({ kind }) => kind), { timeout: 30_000 })
      .toContain('graph-built')
    expect((await searchVectors(index, queries, 3)).map(({ path }) => path)).toEqual(Array(5).fill('hnsw'))
  })

  it('takes the place of the damaged one for the next start', async () => {
    const folder = await whole.copy()
    await flip(await graphFile(folder), 5000)
    const index = await openIn(folder)
    await expect
      .poll(() => index.notices.map(({ kind }) => kind), { timeout: 30_000 })
      .toContain('graph-built')
    await index.close()
    const again = await openIn(folder)
    expect(again.notices[0]).toMatchObject({ kind: 'graph-loaded' })
    expect((await searchVectors(again, queries, 3)).map(({ path }) => path)).toEqual(Array(5).fill('hnsw'))
    expect((await again.stats()).own).toMatchObject({ tombstones: 0 })
  })

  it('that cannot be written is told, and leaves the one before in place', async () => {
    const folder = await whole.copy()
    await mkdir(join(folder, 'graph.json.new'))
    const index = await openIn(folder)
    await index.upsert(clusteredDocuments(new Random(9), 3, DIMENSIONS))
    await index.close()
    expect(index.notices.at(-1)?.kind).toBe('graph-not-saved')
    expect((await readdir(folder)).filter((name) => name.endsWith('.hnsw'))).toHaveLength(1)
    const again = await openIn(folder)
    expect(again.notices[0]).toMatchObject({ kind: 'graph-loaded', facts: { elements: 1500 } })
    expect(await countOf(again)).toBe(1500)
  })

  it('is built again when the index is opened with other parameters', async () => {
    const index = await openIn(await whole.copy(), { hnswM: 8 })
    expect(index.notices[0]).toMatchObject({ kind: 'graph-rejected', facts: { reason: 'its m is 16' } })
    expect(await searchVectors(index, queries, 10, { tuning: { exact: true } })).toEqual(whole.expected())
  })

  it('is not used with a database restored from before it was saved', async () => {
    const folder = await whole.copy()
    const old = readFileSync(join(folder, 'store.sqlite'))
    const index = await openIn(folder)
    await index.upsert(clusteredDocuments(new Random(8), 300, DIMENSIONS))
    await index.close()
    writeFileSync(join(folder, 'store.sqlite'), old)
    const restored = await openIn(folder)
    expect(restored.notices.slice(0, 2)).toMatchObject([
      { kind: 'commits-missing' },
      { kind: 'graph-rejected' },
    ])
    expect(await searchVectors(restored, queries, 10, { tuning: { exact: true } })).toEqual(whole.expected())
  })

  const edit = async (folder: string, change: object) => {
    const file = join(folder, 'graph.json')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }))
  }
})

function scores(results: unknown): number[][] {
  return (results as { hits: { score: number }[] }[]).map(({ hits }) => hits.map(({ score }) => score))
}
