import { describe, expect, it } from 'vitest'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import { connect } from '../../../src/index/embedded/database/connection.ts'
import { databaseOf, rootPage, zeroPage } from '../damage.ts'
import { crash, openIn, scratchFolder, searchVectors } from '../scratch.ts'
import { documents, queries, wholeFolder } from '../whole-folder.ts'

const whole = wholeFolder()

async function byWords(index: DocumentIndex, terms: string): Promise<string[]> {
  const [found] = await index.search([{ terms }], 10, { fields: [] })
  return found!.hits.map(({ id }) => id)
}

/** Changes the tables of the index of words as no program should. */
function damageWords(folder: string, sql: string): void {
  const db = connect(databaseOf(folder))
  try {
    db.unsafeMode()
    db.pragma('writable_schema = ON')
    db.exec(sql)
  } finally {
    db.close()
  }
}

describe.each([
  ['blocks of it are overwritten', "UPDATE words_data SET block = x'ffffffff' WHERE id > 10"],
  ['its blocks are gone', 'DELETE FROM words_data'],
  ['it no longer says how it is made', 'DROP TABLE words_config'],
  ['it is of another version', "UPDATE words_config SET v = 99 WHERE k = 'version'"],
  ['the lengths of documents are gone', 'DROP TABLE words_docsize'],
  ['it lacks documents', 'DELETE FROM words WHERE rowid > 700'],
  ['it is not there', "DELETE FROM sqlite_schema WHERE name LIKE 'word%s'"],
])('an index of words where %s', (_, sql) => {
  it('is made anew; vectors find as before, words do after, and nothing is lost', async () => {
    const folder = await whole.copy()
    damageWords(folder, sql)
    const index = await openIn(folder)
    expect(await searchVectors(index, queries, 10, { tuning: { exact: true } })).toEqual(whole.expected())
    expect(await byWords(index, 'text 1234')).toContain('d1234')
    expect(await index.upsert([documents[1]!])).toEqual({ created: 0, updated: 1 })
    expect((await byWords(index, '1'))[0]).toBe('d1')
    const kinds = index.notices.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind.startsWith('words'))).toEqual(['words-damaged', 'words-remade'])
    expect(kinds).not.toContain('database-damaged')
    expect(await index.stats()).toMatchObject({
      documents: 1500,
      own: { damagedDocuments: 0, fileDamaged: 0 },
    })
    await index.close()
    const again = await openIn(folder)
    expect(await byWords(again, 'text 77')).toContain('d77')
    expect(again.notices.map(({ kind }) => kind)).toEqual(['graph-loaded'])
  })
})

describe('an index of words', () => {
  it('that is found damaged while it is written to is made anew, and the write is carried through', async () => {
    const folder = await whole.copy()
    const index = await openIn(folder)
    await byWords(index, 'text')
    damageWords(folder, 'DELETE FROM words_data')
    expect(await index.upsert([documents[5]!])).toEqual({ created: 0, updated: 1 })
    expect((await byWords(index, '5'))[0]).toBe('d5')
  })

  it('whose pages are damaged is made anew with the whole database', async () => {
    const folder = await whole.copy()
    zeroPage(folder, rootPage(folder, 'words_data'))
    const index = await openIn(folder)
    expect(await byWords(index, 'text 1234')).toContain('d1234')
    expect(index.notices.map(({ kind }) => kind)).toContain('database-rebuilt')
    expect(await index.stats()).toMatchObject({
      documents: 1500,
      own: { damagedDocuments: 0, fileDamaged: 0 },
    })
  })

  it('is made at the next start where a process ended while making it', async () => {
    const folder = await whole.copy()
    damageWords(folder, 'DELETE FROM words_data')
    const index = await openIn(folder)
    const left = await crash(index, folder)
    const next = await openIn(left)
    expect(await byWords(next, 'text 1234')).toContain('d1234')
  })

  it('lets documents go whose text is damaged', async () => {
    const folder = await scratchFolder()
    const index = await openIn(folder)
    await index.upsert([documents[3]!, documents[4]!])
    await index.close()
    damageWords(folder, "UPDATE documents SET text = 'other' WHERE id = 'd3'")
    const again = await openIn(folder)
    expect(await again.remove({ ids: ['d3'] })).toEqual({ removed: 1 })
    expect(await byWords(again, 'text other 3')).toEqual(['d4'])
  })
})
