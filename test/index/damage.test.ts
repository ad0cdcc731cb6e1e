import { readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdir, open, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openEmbeddedStore } from '../../src/index/embedded/embedded-index.ts'
import { clusteredDocuments, Random } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder } from './scratch.ts'

const random = new Random(7)
const documents = clusteredDocuments(random, 1500, DIMENSIONS)
const queries = Array.from({ length: 5 }, () => random.unitVector(DIMENSIONS))

/** A folder with a saved graph and a database, to be copied and damaged. */
let whole: string
let expected: unknown

beforeAll(async () => {
  const { mkdtemp } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  whole = await mkdtemp(join(tmpdir(), 'vector-store-whole-'))
  const store = await openEmbeddedStore({ dataDir: whole, dimensions: DIMENSIONS, fingerprint: 'model-a' })
  await store.upsert(documents.slice(0, 750))
  await store.upsert(documents.slice(750))
  expected = await store.search(queries, 10, { exact: true })
  await store.close()
  return () => rm(whole, { recursive: true, force: true })
})

async function copyOfWhole(): Promise<string> {
  const folder = await scratchFolder()
  await cp(whole, folder, { recursive: true })
  return folder
}

async function graphFile(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.hnsw'))
  return join(folder, name ?? 'no graph file')
}

async function flip(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, position)
  byte[0] = (byte[0] as number) ^ 0x55
  await handle.write(byte, 0, 1, position)
  await handle.close()
}

describe('a saved graph', () => {
  it('is loaded when it is whole', async () => {
    const store = await openIn(await copyOfWhole())
    expect(store.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
    expect(store.stats()).toMatchObject({ documents: 1500, tombstones: 0 })
    expect((await store.search(queries, 3)).map(({ path }) => path)).toEqual(Array(5).fill('hnsw'))
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
    const folder = await copyOfWhole()
    await damage(folder)
    const store = await openIn(folder)
    expect(store.notices[0]).toMatchObject({ kind: 'graph-rejected', level: 'warn' })
    // Right from the first moment, by exact scoring, and right when the graph is back.
    expect(scores(await store.search(queries, 10))).toEqual(scores(expected))
    await expect
      .poll(() => store.notices.map(({ kind }) => kind), { timeout: 30_000 })
      .toContain('graph-built')
    expect((await store.search(queries, 3)).map(({ path }) => path)).toEqual(Array(5).fill('hnsw'))
  })

  it('takes the place of the damaged one for the next start', async () => {
    const folder = await copyOfWhole()
    await flip(await graphFile(folder), 5000)
    const store = await openIn(folder)
    await expect
      .poll(() => store.notices.map(({ kind }) => kind), { timeout: 30_000 })
      .toContain('graph-built')
    await store.close()
    const again = await openIn(folder)
    expect(again.notices[0]).toMatchObject({ kind: 'graph-loaded' })
    expect((await again.search(queries, 3)).map(({ path }) => path)).toEqual(Array(5).fill('hnsw'))
    expect(again.stats().tombstones).toBe(0)
  })

  it('that cannot be written is told, and leaves the one before in place', async () => {
    const folder = await copyOfWhole()
    await mkdir(join(folder, 'graph.json.new'))
    const store = await openIn(folder)
    await store.upsert(clusteredDocuments(new Random(9), 3, DIMENSIONS))
    await expect(store.snapshot()).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    await store.close()
    expect(store.notices.at(-1)?.kind).toBe('graph-not-saved')
    expect((await readdir(folder)).filter((name) => name.endsWith('.hnsw'))).toHaveLength(1)
    const again = await openIn(folder)
    expect(again.notices[0]).toMatchObject({ kind: 'graph-loaded', facts: { elements: 1500 } })
    expect(again.stats().documents).toBe(1500)
  })

  it('is built again when the store is opened with other parameters', async () => {
    const store = await openIn(await copyOfWhole(), { m: 8 })
    expect(store.notices[0]).toMatchObject({ kind: 'graph-rejected', facts: { reason: 'its m is 16' } })
    expect(await store.search(queries, 10, { exact: true })).toEqual(expected)
  })

  it('is not used with a database restored from before it was saved', async () => {
    const folder = await copyOfWhole()
    const old = readFileSync(join(folder, 'store.sqlite'))
    const store = await openIn(folder)
    await store.upsert(clusteredDocuments(new Random(8), 300, DIMENSIONS))
    await store.close()
    writeFileSync(join(folder, 'store.sqlite'), old)
    const restored = await openIn(folder)
    expect(restored.notices[0]).toMatchObject({ kind: 'graph-rejected' })
    expect(await restored.search(queries, 10, { exact: true })).toEqual(expected)
  })

  const edit = async (folder: string, change: object) => {
    const file = join(folder, 'graph.json')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }))
  }
})

function scores(results: unknown): number[][] {
  return (results as { hits: { score: number }[] }[]).map(({ hits }) => hits.map(({ score }) => score))
}

describe('a damaged database', () => {
  const database = (folder: string) => join(folder, 'store.sqlite')
  const pageOf = (folder: string, needle: Buffer) => readFileSync(database(folder)).indexOf(needle)
  const vectorBytes = () => Buffer.from(documents[700]?.vector.buffer as ArrayBuffer)
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
      'is cut within its last page',
      async (folder) => truncate(database(folder), readFileSync(database(folder)).length - 100),
    ],
    [
      'has its header overwritten',
      async (folder) => {
        const handle = await open(database(folder), 'r+')
        await handle.write(Buffer.alloc(100, 0xaa), 0, 100, 0)
        await handle.close()
      },
    ],
    [
      'has a page overwritten',
      async (folder) => {
        const handle = await open(database(folder), 'r+')
        await handle.write(
          Buffer.alloc(8192, 0xaa),
          0,
          8192,
          Math.floor(pageOf(folder, vectorBytes()) / 8192) * 8192,
        )
        await handle.close()
      },
    ],
    [
      'has a page of zeros',
      async (folder) => {
        const handle = await open(database(folder), 'r+')
        await handle.write(
          Buffer.alloc(8192),
          0,
          8192,
          Math.floor(pageOf(folder, vectorBytes()) / 8192) * 8192,
        )
        await handle.close()
      },
    ],
    [
      'has a vector that lost its length',
      async (folder) => flip(database(folder), pageOf(folder, vectorBytes()) + 3),
    ],
  ]
  it.each(damages)('is refused, saying what to do, when it %s', async (_, damage) => {
    const folder = await copyOfWhole()
    await damage(folder)
    await expect(openIn(folder)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(/Restore it from a backup|Use another DATA_DIR/),
    })
  })

  it('is refused when a vector has a wrong length or is missing', async () => {
    const { connect } = await import('../../src/index/embedded/database/connection.ts')
    for (const sql of [
      "UPDATE vectors SET vector = x'00000000' WHERE label = 77",
      'DELETE FROM vectors WHERE label = 77',
      'INSERT INTO vectors SELECT 99999, vector FROM vectors WHERE label = 1',
    ]) {
      const folder = await copyOfWhole()
      const db = connect(database(folder))
      db.pragma('ignore_check_constraints = ON')
      db.exec(sql)
      db.close()
      await expect(openIn(folder)).rejects.toMatchObject({
        code: 'STORE_UNUSABLE',
        message: expect.stringContaining('damaged'),
      })
    }
  })
})

describe('a store of another identity', () => {
  it('is refused, naming both, and left as it was', async () => {
    const folder = await copyOfWhole()
    await expect(openIn(folder, { fingerprint: 'model-b' })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(/model-a, 16 dimensions.*model-b, 16 dimensions.*another DATA_DIR/),
      details: { storedFingerprint: 'model-a', modelFingerprint: 'model-b' },
    })
    await expect(openIn(folder, { dimensions: 8 })).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    expect((await openIn(folder)).stats().documents).toBe(1500)
  })

  it('is refused when its format is newer, or it is not ours', async () => {
    const { connect } = await import('../../src/index/embedded/database/connection.ts')
    for (const [sql, message] of [
      ['PRAGMA user_version = 2', /format 2; this program reads format 1/],
      ['PRAGMA application_id = 1', /another program/],
    ] as const) {
      const folder = await copyOfWhole()
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
