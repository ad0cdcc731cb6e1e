import { readdirSync, readFileSync, statSync } from 'node:fs'
import { rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyCommand } from '../../../src/tools/verify/command.ts'
import { ran } from '../../cli/run-command.ts'
import {
  damageRows,
  databaseOf,
  flipBit,
  replaceBytes,
  rootPage,
  zeroPage,
  zeroPageWith,
} from '../../index/damage.ts'
import { idsOf, vectorOf } from '../../index/documents.ts'
import { countOf, openIn, scratchFolder, searchVectors } from '../../index/scratch.ts'
import { documents, graphFile, queries, wholeFolder } from '../../index/whole-folder.ts'

const whole = wholeFolder()
const verify = (folder: string, ...args: string[]) => ran(verifyCommand, ['--data-dir', folder, ...args])
const vectorBytes = (i: number) => Buffer.from(vectorOf(documents[i]!).buffer)

/** Ids that are named in the lines about damage. */
function named(stdout: string): string[] {
  return [...stdout.matchAll(/document "(d\d+)" \(label/g)].map(([, id]) => id!)
}

/** After a repair everything but the named documents is there, searchable and in order. */
async function servesTheRest(folder: string, lost: string[]): Promise<void> {
  const index = await openIn(folder)
  const kept = documents.filter(({ document: { id } }) => !lost.includes(id))
  const { documents: found } = await index.scan({ limit: 10_000 })
  expect(new Map(found.map((document) => [document.id, document]))).toEqual(
    new Map(kept.map(({ document }) => [document.id, document])),
  )
  const results = await searchVectors(index, kept.slice(0, 200).map(vectorOf), 1)
  expect(results.map(({ hits }) => hits[0]?.id)).toEqual(idsOf(kept.slice(0, 200)))
  expect(await index.stats()).toMatchObject({
    documents: kept.length,
    own: { damagedDocuments: lost.length },
  })
  for (const id of lost.slice(0, 3)) {
    await expect(index.get([id])).rejects.toMatchObject({ code: 'DOCUMENT_DAMAGED' })
  }
  const again = documents.filter(({ document: { id } }) => lost.includes(id))
  if (again.length > 0) expect(await index.upsert(again)).toEqual({ created: 0, updated: again.length })
  expect(await index.stats()).toMatchObject({ documents: 1500, own: { damagedDocuments: 0 } })
  await index.close()
  expect(await verify(folder)).toMatchObject({ status: 0, stderr: '' })
}

describe('verify', () => {
  it('says that a whole folder is whole', async () => {
    const ended = await verify(await whole.copy())
    expect(ended).toEqual({
      status: 0,
      stdout: 'default: 1500 documents in 1500 passages are whole, 0 are damaged.\n',
      stderr: '',
    })
  })

  it('changes nothing without --repair', async () => {
    const folder = await whole.copy()
    damageRows(folder, "UPDATE documents SET text = 'x' WHERE document = 3")
    const before = readFileSync(databaseOf(folder))
    expect(await verify(folder)).toMatchObject({ status: 1, stderr: expect.stringContaining('--repair') })
    expect(readFileSync(databaseOf(folder))).toEqual(before)
  })

  it('refuses a folder that is in use, and one without data', async () => {
    const folder = await whole.copy()
    const index = await openIn(folder)
    expect(await verify(folder, '--repair')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Another process'),
    })
    await index.close()
    expect(await verify(folder)).toMatchObject({ status: 0 })
    expect(await verify(await scratchFolder())).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no database'),
    })
  })
})

const DAMAGES: [string, (folder: string) => unknown, (lost: string[]) => void][] = [
  [
    'a text',
    (folder) => damageRows(folder, "UPDATE documents SET text = 'x' WHERE document = 77"),
    exactly('d76'),
  ],
  ['an id', (folder) => replaceBytes(folder, 'd76text 76{', 'd66text 76{'), exactly('d76')],
  [
    'a vector',
    (folder) => damageRows(folder, 'UPDATE passages SET vector = zeroblob(64) WHERE label = 9'),
    exactly('d8'),
  ],
  [
    'a passage that is gone',
    (folder) => damageRows(folder, 'DELETE FROM passages WHERE label = 9'),
    exactly('d8'),
  ],
  ['a page of vectors of zeros', (folder) => zeroPageWith(folder, vectorBytes(700)), includes('d700')],
  [
    'the last page of vectors of zeros',
    (folder) => zeroPageWith(folder, vectorBytes(1499)),
    includes('d1499'),
  ],
  ['a page of documents of zeros', (folder) => zeroPageWith(folder, 'd700text 700'), includes('d700')],
  [
    'all of the index on id of zeros',
    (folder) => zeroPage(folder, rootPage(folder, 'sqlite_autoindex_documents_1')),
    exactly(),
  ],
  [
    'an index for filters of zeros',
    (folder) => zeroPage(folder, rootPage(folder, 'metadata_values_by_document')),
    exactly(),
  ],
  [
    'the other index for filters of zeros',
    (folder) => zeroPage(folder, rootPage(folder, 'metadata_values')),
    exactly(),
  ],
  [
    'a value for filters that is gone',
    (folder) => damageRows(folder, 'DELETE FROM metadata_values WHERE document = 4'),
    exactly(),
  ],
  [
    'a value for filters too many',
    (folder) => damageRows(folder, "INSERT INTO metadata_values VALUES ('n', 1, 9999)"),
    exactly(),
  ],
  [
    'a value for filters that is another',
    (folder) => damageRows(folder, "UPDATE metadata_values SET value = 5 WHERE document = 4 AND path = 'n'"),
    exactly(),
  ],
  [
    'the end of the file, cut off',
    (folder) => truncate(databaseOf(folder), statSync(databaseOf(folder)).size - 10 * 8192),
    (lost) => expect(lost.length).toBeLessThan(1400),
  ],
]

function exactly(...ids: string[]) {
  return (lost: string[]) => expect(lost).toEqual(ids)
}
function includes(id: string) {
  return (lost: string[]) => {
    expect(lost).toContain(id)
    expect(lost.length).toBeLessThan(200)
  }
}

describe.each(DAMAGES)('of %s', (_, damage, expected) => {
  it('verify says so, and --repair keeps everything else', async () => {
    const folder = await whole.copy()
    await damage(folder)
    const checked = await verify(folder)
    expect(checked).toMatchObject({ status: 1, stderr: expect.stringContaining('The data is damaged') })
    expected(named(checked.stdout))
    const before = readFileSync(databaseOf(folder))
    const repaired = await verify(folder, '--repair')
    expect(repaired).toMatchObject({ status: 0, stderr: '' })
    expect(named(repaired.stdout)).toEqual(named(checked.stdout))
    const [kept] = readdirSync(folder).filter((name) => name.startsWith('store.damaged-'))
    expect(readFileSync(join(folder, kept!))).toEqual(before)
    const lost = named(repaired.stdout)
    const again = await verify(folder)
    expect(again).toMatchObject({ status: 0 })
    expect(again.stdout.match(/was lost before/g)?.length ?? 0).toBe(lost.length)
    await servesTheRest(folder, lost)
  })
})

describe('verify --repair', () => {
  it('takes away a saved graph that is damaged', async () => {
    const folder = await whole.copy()
    flipBit(await graphFile(folder), 5000)
    expect(await verify(folder)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('its checksum is wrong'),
    })
    expect(await verify(folder, '--repair')).toMatchObject({ status: 0 })
    expect(readdirSync(folder).filter((name) => name.endsWith('.hnsw'))).toEqual([])
    const index = await openIn(folder)
    expect(await searchVectors(index, queries, 10, { tuning: { exact: true } })).toEqual(whole.expected())
  })

  it('says of a document that is gone with its id what is left to say', async () => {
    const folder = await whole.copy()
    damageRows(folder, 'DELETE FROM documents WHERE document = 9')
    const line = expect.stringContaining(
      'a document whose id is lost (label 9) is damaged: its row is missing',
    )
    expect(await verify(folder)).toMatchObject({ status: 1, stdout: line })
    expect(await verify(folder, '--repair')).toMatchObject({ status: 0, stdout: line })
    expect(await verify(folder)).toMatchObject({ status: 0 })
    expect(await countOf(await openIn(folder))).toBe(1499)
  })

  it('says that a database without its beginning cannot be repaired, and leaves it', async () => {
    const folder = await whole.copy()
    zeroPage(folder, 1)
    const ended = await verify(folder, '--repair')
    expect(ended).toMatchObject({ status: 1, stdout: expect.stringContaining('Restore it from a backup') })
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([])
  })

  it('ends the message about missing commits', async () => {
    const folder = await whole.copy()
    damageRows(folder, "UPDATE store SET value = value - 1 WHERE key = 'commits'")
    const said = { stdout: expect.stringContaining('1 acknowledged writes are missing') }
    expect(await verify(folder)).toMatchObject({ status: 1, ...said })
    expect(await verify(folder, '--repair')).toMatchObject({ status: 0, ...said })
    expect(await verify(folder)).toMatchObject({ status: 0 })
    const index = await openIn(folder)
    expect(index.notices.filter(({ level }) => level === 'error')).toEqual([])
    await index.close()
    await rm(folder, { recursive: true })
  })
})
