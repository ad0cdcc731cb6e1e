import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { DocumentPart } from '../../../src/index/document.ts'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { damageRows, databaseOf, rootPage, zeroPage, zeroPageWith } from '../damage.ts'
import { idsOf, indexed, vectorOf } from '../documents.ts'
import { Random } from '../random.ts'
import { DIMENSIONS, type Opened, openIn, scratchFolder, searchVectors } from '../scratch.ts'
import { documents, wholeFolder } from '../whole-folder.ts'

const whole = wholeFolder()
const vectorBytes = (i: number) => Buffer.from(vectorOf(documents[i]!).buffer)

/** Waits until the index says something of this kind. */
async function said(index: Opened, kind: string): Promise<Opened['notices'][number]> {
  for (;;) {
    const found = index.notices.find((notice) => notice.kind === kind)
    if (found) return found
    await sleep(10)
  }
}

/** Page by page: pages of large documents are short. */
async function all(index: DocumentIndex): Promise<DocumentPart[]> {
  const found: DocumentPart[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await index.scan({ limit: 10_000, ...(cursor !== undefined && { cursor }) })
    found.push(...page.documents)
    cursor = page.nextCursor
  }
  return found
}

/** Of these documents: those that are answered, all of them right. The others are said to be damaged. */
async function answered(index: DocumentIndex, given = documents): Promise<Set<string>> {
  const found = await all(index)
  const ids = new Set(found.map(({ id }) => id))
  const expected = given.filter(({ document: { id } }) => ids.has(id))
  expect(new Map(found.map((document) => [document.id, document]))).toEqual(
    new Map(expected.map(({ document }) => [document.id, document])),
  )
  expect(ids.size).toBe(found.length)
  for (const { document } of given) {
    if (ids.has(document.id)) continue
    await expect(index.get([document.id])).rejects.toMatchObject({ code: 'DOCUMENT_DAMAGED' })
  }
  const results = await searchVectors(index, given.slice(0, 50).map(vectorOf), 10, { fields: [] })
  for (const [i, { hits }] of results.entries()) {
    expect(hits).toHaveLength(10)
    expect(hits.every(({ id }) => ids.has(id))).toBe(true)
    const { id } = given[i]!.document
    if (ids.has(id)) expect(hits[0]?.id).toBe(id)
  }
  return ids
}

const DAMAGES: [string, (folder: string) => unknown, number][] = [
  ['a page of vectors of zeros', (folder) => zeroPageWith(folder, vectorBytes(700)), 200],
  ['a page of vectors overwritten', (folder) => overwrite(folder, vectorBytes(700)), 200],
  ['a page of documents of zeros', (folder) => zeroPageWith(folder, 'd700text 700{'), 200],
  ['the index on id gone', (folder) => zeroPage(folder, rootPage(folder, 'sqlite_autoindex_documents_1')), 0],
  ['an index for filters gone', (folder) => zeroPage(folder, rootPage(folder, 'metadata_values')), 0],
]

function overwrite(folder: string, needle: Buffer): void {
  const bytes = readFileSync(databaseOf(folder))
  const page = Math.floor(bytes.indexOf(needle) / 8192) * 8192
  writeFileSync(databaseOf(folder), bytes.fill(0xaa, page, page + 8192))
}

describe.each(DAMAGES)('a database with %s', (_, damage, lostMax) => {
  it('is rebuilt while it serves the rest, and healed by storing documents again', async () => {
    const folder = await whole.copy()
    damage(folder)
    const index = await openIn(folder)
    await said(index, 'database-damaged')
    const { facts } = await said(index, 'database-rebuilt')
    const ids = await answered(index)
    const lost = documents.filter(({ document: { id } }) => !ids.has(id))
    expect(lost.length).toBeLessThanOrEqual(lostMax)
    expect(facts).toMatchObject({ documents: 1500 - lost.length, lost: lost.length })
    expect(await index.stats()).toMatchObject({
      documents: 1500 - lost.length,
      own: { damagedDocuments: lost.length, fileDamaged: 0 },
    })
    const filter = parseFilter({ n: { $gte: 0 } })
    const [matching] = await searchVectors(index, [vectorOf(documents[0]!)], 2000, { filter })
    expect(new Set(matching?.hits.map(({ id }) => id))).toEqual(ids)
    expect(readdirSync(folder).filter((name) => name.startsWith('store.damaged-'))).toHaveLength(1)
    await index.upsert(documents)
    expect(await index.stats()).toMatchObject({ documents: 1500, own: { damagedDocuments: 0 } })
    await index.close()
    const again = await openIn(folder)
    expect((await answered(again)).size).toBe(1500)
    expect(again.notices.filter(({ level }) => level === 'error')).toEqual([])
  })
})

it('a database with a part of its last page cut off, which is of the index of words, loses nothing', async () => {
  const folder = await whole.copy()
  truncateSync(databaseOf(folder), statSync(databaseOf(folder)).size - 100)
  const index = await openIn(folder)
  await said(index, 'words-remade')
  expect((await answered(index)).size).toBe(1500)
  const [words] = await index.search([{ terms: 'text 700' }], 1)
  expect(words?.hits.map(({ id }) => id)).toEqual(['d700'])
  await index.upsert(documents.slice(0, 10))
  await index.close()
  const again = await openIn(folder)
  expect((await answered(again)).size).toBe(1500)
  expect(again.notices.filter(({ level }) => level !== 'info')).toEqual([])
})

describe('a database that is damaged again after it was rebuilt', () => {
  it('serves what can be read, and refuses writes, saying what to do', async () => {
    const folder = await whole.copy()
    writeFileSync(`${folder}/store.damaged-1.sqlite`, 'kept')
    zeroPageWith(folder, vectorBytes(700))
    const index = await openIn(folder)
    await said(index, 'database-not-rebuilt')
    const ids = await answered(index)
    expect(ids.size).toBeGreaterThan(1300)
    expect((await index.stats()).own).toMatchObject({ fileDamaged: 1 })
    await expect(index.upsert(documents.slice(0, 1))).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(/could not be rebuilt .*llara-serve verify --repair/),
    })
  })
})

describe('what only a check of everything finds', () => {
  it.each([
    ['a value for filters that is gone', "DELETE FROM metadata_values WHERE document = 5 AND path = 'n'"],
    [
      'a value for filters that is another',
      "UPDATE metadata_values SET value = 9 WHERE document = 5 AND path = 'n'",
    ],
  ])('%s, is mended', async (_, sql) => {
    const folder = await whole.copy()
    damageRows(folder, sql)
    const index = await openIn(folder)
    await said(index, 'database-rebuilt')
    const { documents: found } = await index.scan({ limit: 10, filter: parseFilter({ n: 4 }) })
    expect(found.map(({ id }) => id)).toEqual(['d4'])
  })

  it('is not looked for where the operator does not want it', async () => {
    const index = await openIn(await whole.copy(), { scrubHours: 0 })
    await sleep(300)
    expect((await index.stats()).own).toMatchObject({ scrubs: 0 })
  })
})

describe('a database too large to be checked at the start', () => {
  const random = new Random(3)
  const large = Array.from({ length: 1400 }, (_, i) => {
    const text = `text ${i} ${'x'.repeat(50_000)}`
    return indexed({ id: `d${i}`, text, title: null, metadata: { n: i } }, random.unitVector(DIMENSIONS))
  })

  it('answers with all that is whole, and can be written to', async () => {
    const folder = await scratchFolder()
    const first = await openIn(folder)
    for (let i = 0; i < large.length; i += 100) await first.upsert(large.slice(i, i + 100))
    await first.close()
    expect(statSync(databaseOf(folder)).size).toBeGreaterThan(64 * 1024 * 1024)
    zeroPageWith(folder, Buffer.from(vectorOf(large[300]!).buffer))
    zeroPageWith(folder, 'd700text 700')
    const index = await openIn(folder)
    const hits = await searchVectors(index, [vectorOf(large[700]!)], 10)
    expect(hits[0]?.hits).toHaveLength(10)
    const { facts } = await said(index, 'database-rebuilt')
    const ids = await answered(index, large)
    expect(facts).toMatchObject({ documents: ids.size })
    expect(ids.size).toBeGreaterThan(1000)
    const lost = large.filter(({ document: { id } }) => !ids.has(id))
    expect(idsOf(lost)).toContain('d700')
    expect(await index.upsert(lost)).toEqual({ created: 0, updated: lost.length })
    expect(await index.remove({ ids: ['d300'] })).toEqual({ removed: 1 })
  })
})
