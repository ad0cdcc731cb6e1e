import { readFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Document } from '../../src/index/document.ts'
import type { DocumentIndex, Hit } from '../../src/index/document-index.ts'
import { documentChecksum, passageChecksum } from '../../src/index/embedded/database/checksum.ts'
import { connect } from '../../src/index/embedded/database/connection.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { convertUntilKilled } from './convert-until-killed.ts'
import { damageRows, databaseOf } from './damage.ts'
import { openIn, scratchFolder, searchVectors } from './scratch.ts'

/** Written by the last version that had format 2: 45 documents of 1 to 3 passages, and a saved graph. */
const FIXTURE = fileURLToPath(new URL('../fixtures/format-2/', import.meta.url))

interface Expected {
  dimensions: number
  fingerprint: string
  queries: number[][]
  answers: { filter: object | null; hits: Pick<Hit, 'id' | 'score' | 'passage'>[][] }[]
  documents: Document[]
}

const { documents, queries, answers, ...identity } = JSON.parse(
  readFileSync(join(FIXTURE, 'expected.json'), 'utf8'),
) as Expected

async function formatTwo(): Promise<string> {
  const folder = await scratchFolder()
  await cp(join(FIXTURE, 'folder'), folder, { recursive: true })
  return folder
}

async function answersAsBefore(index: DocumentIndex): Promise<void> {
  expect(await index.scan({ limit: 1000 })).toEqual({ documents, nextCursor: null })
  const probes = queries.map((query) => Float32Array.from(query))
  for (const { filter, hits } of answers) {
    const options = filter ? { filter: parseFilter(filter) } : {}
    const found = await searchVectors(index, probes, 6, options)
    const parts = found.map((result) => result.hits.map(({ id, score, passage }) => ({ id, score, passage })))
    expect(parts).toEqual(hits)
  }
}

async function idsFor(index: DocumentIndex, terms: string): Promise<string[]> {
  const [found] = await index.search([{ terms }], 1000)
  return found!.hits.map(({ id }) => id).sort()
}

describe('a folder of format 2', () => {
  it('is converted, says so, answers as before, and finds documents by their words', async () => {
    const folder = await formatTwo()
    const index = await openIn(folder, {}, identity)
    expect(index.notices.map(({ kind }) => kind)).toEqual(['migrating', 'migrated', 'graph-loaded'])
    expect(index.notices[1]?.facts).toEqual({ from: 2, to: 3, done: 45, all: 45 })
    await answersAsBefore(index)
    const having = (word: string) =>
      documents.filter(({ title, text }) => `${title} ${text}`.includes(word)).map(({ id }) => id)
    for (const [query, word] of [
      ['generalize', 'generalizes'],
      ['CAFE', 'Café'],
      ['東京の天気', '東京の天気'],
      ['turbines', 'turbine'],
    ] as const) {
      expect(having(word).length).toBeGreaterThan(3)
      expect(await idsFor(index, query)).toEqual(having(word).sort())
    }
    await index.close()
    const again = await openIn(folder, {}, identity)
    expect(again.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
    await answersAsBefore(again)
  })

  it('is indexed by the words of the analysis that it was created with', async () => {
    const folder = await formatTwo()
    const settings = { chunking: { kind: 'whole' }, analysis: 'trigram', mode: 'dense', hnsw: {}, dates: [] }
    damageRows(folder, `UPDATE store SET value = '${JSON.stringify(settings)}' WHERE key = 'settings'`)
    const index = await openIn(folder, {}, identity)
    const having = documents.filter(({ text }) => text.includes('天気')).map(({ id }) => id)
    expect(await idsFor(index, '天気')).toEqual(having.sort())
    expect((await idsFor(index, 'eneraliz')).length).toBeGreaterThan(3)
  })

  it('with a damaged document is converted, and the document is found damaged as before', async () => {
    const folder = await formatTwo()
    damageRows(folder, "UPDATE documents SET text = 'another turbine' WHERE id = 'doc-5'")
    const index = await openIn(folder, {}, identity)
    expect(await idsFor(index, 'another')).toEqual([])
    expect(index.notices.map(({ kind }) => kind)).toContain('document-damaged')
    expect((await index.stats()).own).toMatchObject({ damagedDocuments: 1, fileDamaged: 0 })
  })

  it('is left whole by a conversion that is killed, and the next start converts it', async () => {
    const folder = await formatTwo()
    const MANY = 5_000
    const db = connect(databaseOf(folder))
    const vector = db.prepare('SELECT vector FROM passages LIMIT 1').pluck().get() as Buffer
    const insert = db.prepare('INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)')
    const passage = db.prepare('INSERT INTO passages VALUES (?, ?, 0, 0, 4, ?, ?)')
    db.transaction(() => {
      for (let document = 1001; document <= 1000 + MANY; document++) {
        const row = {
          document,
          id: `more-${document}`,
          title: null,
          text: `more number${document}`,
          metadata: '{}',
          passages: 1,
        }
        insert.run(...Object.values(row), documentChecksum(row))
        const part = { label: document, document, ordinal: 0, start: 0, end: 4, vector }
        passage.run(document, document, passageChecksum(part), vector)
      }
    })()
    db.close()
    await convertUntilKilled(folder, identity, MANY / 2)
    const killed = connect(databaseOf(folder))
    expect(killed.pragma('user_version', { simple: true })).toBe(2)
    expect(killed.prepare("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'word%'").pluck().get()).toBe(0)
    killed.close()
    const index = await openIn(folder, {}, identity)
    expect(index.notices.map(({ kind }) => kind)).toContain('migrated')
    expect((await idsFor(index, 'turbine')).length).toBeGreaterThan(3)
  })
})
