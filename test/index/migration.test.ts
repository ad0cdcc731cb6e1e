import { readFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Document } from '../../src/index/document.ts'
import type { DocumentIndex } from '../../src/index/document-index.ts'
import {
  type DocumentRow,
  documentChecksum,
  type PassageRow,
  passageChecksum,
} from '../../src/index/embedded/database/checksum.ts'
import { type Connection, connect } from '../../src/index/embedded/database/connection.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { convertUntilKilled } from './convert-until-killed.ts'
import { named } from './documents.ts'
import { openIn, scratchFolder, searchVectors } from './scratch.ts'

/** Written by the last version that had format 1: 58 documents after replacements and deletions, and a saved graph. */
const FIXTURE = fileURLToPath(new URL('../fixtures/format-1/', import.meta.url))

interface Expected {
  dimensions: number
  fingerprint: string
  queries: number[][]
  answers: { filter: object | null; hits: { id: string; score: number }[][] }[]
  documents: Document[]
  vectors: number[][]
}

const { documents, vectors, queries, answers, ...identity } = JSON.parse(
  readFileSync(join(FIXTURE, 'expected.json'), 'utf8'),
) as Expected

async function formatOne(): Promise<string> {
  const folder = await scratchFolder()
  await cp(join(FIXTURE, 'folder'), folder, { recursive: true })
  return folder
}

function inDatabase<T>(folder: string, work: (db: Connection) => T): T {
  const db = connect(join(folder, 'store.sqlite'))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

async function answersAsBefore(index: DocumentIndex): Promise<void> {
  expect(await index.scan({ limit: 1000 })).toEqual({ documents, nextCursor: null })
  const passages = await index.passages(documents.map(({ id }) => id))
  for (const [i, { text }] of documents.entries()) {
    expect(passages[i]).toEqual([
      { span: { start: 0, end: text.length }, vector: Float32Array.from(vectors[i]!) },
    ])
  }
  const probes = queries.map((query) => Float32Array.from(query))
  for (const { filter, hits } of answers) {
    const options = filter ? { filter: parseFilter(filter) } : {}
    const found = await searchVectors(index, probes, 10, options)
    expect(found.map((result) => result.hits.map(({ id, score }) => ({ id, score })))).toEqual(hits)
  }
}

describe('a folder of format 1', () => {
  it('is converted, says so, and answers as before', async () => {
    const folder = await formatOne()
    const index = await openIn(folder, {}, identity)
    const step = ['migrating', 'migrated']
    expect(index.notices.map(({ kind }) => kind)).toEqual([...step, ...step, 'graph-loaded'])
    expect(index.notices[1]?.facts).toEqual({ from: 1, to: 2, done: 58, all: 58 })
    expect(index.notices[3]?.facts).toEqual({ from: 2, to: 3, done: 58, all: 58 })
    await answersAsBefore(index)
    await index.close()
    const again = await openIn(folder, {}, identity)
    expect(again.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
    await answersAsBefore(again)
  })

  it('takes writes afterwards, under labels that were never used', async () => {
    const folder = await formatOne()
    const used = inDatabase(folder, (db) =>
      db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'documents'").pluck().get(),
    ) as number
    const index = await openIn(folder, {}, identity)
    const vector = Float32Array.from(queries[0]!)
    await index.upsert([named('new', vector)])
    expect((await searchVectors(index, [vector], 1))[0]?.hits).toMatchObject([{ id: 'new' }])
    expect(await index.remove({ ids: ['new', 'doc-0'] })).toEqual({ removed: 2 })
    await index.upsert([named('newer', vector)])
    await index.close()
    const label = inDatabase(folder, (db) =>
      db.prepare("SELECT document FROM documents WHERE id = 'newer'").pluck().get(),
    )
    expect(label).toBe(used + 2)
  })

  it('has the tables of a new folder afterwards, and a checksum in every row', async () => {
    const [old, fresh] = [await formatOne(), await scratchFolder()]
    for (const folder of [old, fresh]) await (await openIn(folder, {}, identity)).close()
    const tables = (folder: string) =>
      inDatabase(folder, (db) =>
        (
          db.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY name').all() as {
            sql: string | null
          }[]
        ).map((entry) => ({ ...entry, sql: entry.sql?.replace(/["\s]+/g, ' ') })),
      )
    expect(tables(old)).toEqual(tables(fresh))
    inDatabase(old, (db) => {
      const stored = db.prepare('SELECT * FROM documents').all() as (DocumentRow & { checksum: Buffer })[]
      expect(stored).toHaveLength(58)
      for (const { checksum, ...row } of stored) expect(checksum).toEqual(documentChecksum(row))
      const parts = db.prepare('SELECT * FROM passages').all() as (PassageRow & { checksum: Buffer })[]
      expect(parts).toHaveLength(58)
      for (const { checksum, ...row } of parts) expect(checksum).toEqual(passageChecksum(row))
    })
  })

  it('of another model is refused and stays as it was', async () => {
    const folder = await formatOne()
    const before = readFileSync(join(folder, 'store.sqlite'))
    const other = { ...identity, fingerprint: 'other' }
    await expect(openIn(folder, {}, other)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    expect(readFileSync(join(folder, 'store.sqlite'))).toEqual(before)
  })

  it('that lost a vector is served without that document, not mended in silence', async () => {
    for (const [sql, label, documents] of [
      ['DELETE FROM vectors WHERE label = 30', 30, 57],
      ['INSERT INTO vectors SELECT 500, vector FROM vectors WHERE label = 30', 500, 58],
      ["UPDATE vectors SET vector = x'0000' WHERE label = 30", 30, 57],
    ] as const) {
      const folder = await formatOne()
      inDatabase(folder, (db) => {
        db.pragma('ignore_check_constraints = ON')
        db.exec(sql)
      })
      const index = await openIn(folder, {}, identity)
      expect(index.notices.filter(({ level }) => level === 'error')).toMatchObject([
        { kind: 'document-damaged', facts: { label } },
      ])
      expect(await index.stats()).toMatchObject({ documents, own: { damagedDocuments: 1 } })
    }
  })
})

describe('a conversion that is killed', () => {
  const MANY = 10_000

  /** The fixture with many documents more: enough for a kill in the middle. */
  async function manyDocuments(): Promise<string> {
    const folder = await formatOne()
    inDatabase(folder, (db) => {
      db.exec(`
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${MANY})
        INSERT INTO documents (id, title, text, metadata)
          SELECT 'more-' || n, NULL, 'text ' || n, '{"n":' || n || '}' FROM n;
        INSERT INTO vectors SELECT label, (SELECT vector FROM vectors LIMIT 1)
          FROM documents WHERE id LIKE 'more-%';
        INSERT INTO metadata_values SELECT 'n', json_extract(metadata, '$.n'), label
          FROM documents WHERE id LIKE 'more-%';
      `)
    })
    return folder
  }

  it('leaves format 1 whole, and the next start converts it', async () => {
    const folder = await manyDocuments()
    const rows = () =>
      inDatabase(folder, (db) => [
        db.pragma('user_version', { simple: true }),
        db.prepare('SELECT count(*) FROM documents JOIN vectors USING (label)').pluck().get(),
      ])
    for (const done of [1, MANY / 2]) {
      await convertUntilKilled(folder, identity, done)
      expect(rows()).toEqual([1, MANY + 58])
    }
    const index = await openIn(folder, {}, identity)
    expect(index.notices.map(({ kind }) => kind)).toContain('migrated')
    expect(await index.stats()).toMatchObject({ documents: MANY + 58, passages: MANY + 58 })
    const filter = parseFilter({ n: { $gt: MANY - 3 } })
    const { documents: last } = await index.scan({ limit: 10, filter })
    expect(last.map(({ id }) => id)).toEqual([`more-${MANY - 1}`, `more-${MANY - 2}`, `more-${MANY}`].sort())
    await rm(folder, { recursive: true, force: true })
  })
})
