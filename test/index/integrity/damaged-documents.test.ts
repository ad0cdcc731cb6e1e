import { describe, expect, it } from 'vitest'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { damageRows } from '../damage.ts'
import { vectorOf } from '../documents.ts'
import { openIn, searchVectors } from '../scratch.ts'
import { documents, wholeFolder } from '../whole-folder.ts'

const whole = wholeFolder()
const DAMAGED = 77
/** Labels count from 1. */
const victim = documents[DAMAGED - 1]!
const { id } = victim.document

const ROW_DAMAGES: [string, string][] = [
  ['a letter of its text', "UPDATE documents SET text = 'Text 76' WHERE document = 77"],
  ['its title', "UPDATE documents SET title = '' WHERE document = 77"],
  ['its metadata', `UPDATE documents SET metadata = '{"n":77}' WHERE document = 77`],
  ['the number of its passages', 'UPDATE documents SET passages = 4000000000 WHERE document = 77'],
  ['its checksum', "UPDATE documents SET checksum = x'00' WHERE document = 77"],
  ['its text made bytes', 'UPDATE documents SET text = CAST(text AS BLOB) WHERE document = 77'],
]
const PASSAGE_DAMAGES: [string, string][] = [
  [
    'its vector, turned round',
    'UPDATE passages SET vector = (SELECT vector FROM passages WHERE label = 1) WHERE label = 77',
  ],
  ['the length of its vector', "UPDATE passages SET vector = x'00000000' WHERE label = 77"],
  ['its vector, gone', "UPDATE passages SET vector = '' WHERE label = 77"],
  ['where its passage ends', 'UPDATE passages SET "end" = 1 WHERE label = 77'],
  ['its passage, gone', 'DELETE FROM passages WHERE label = 77'],
  ['the document of its passage', 'UPDATE passages SET document = 78 WHERE label = 77'],
]

/** Every read leaves the document out, and says so; all others are answered. */
async function leavesItOut(index: DocumentIndex): Promise<void> {
  for (const tuning of [{}, { exact: true }]) {
    for (const options of [{}, { fields: [] }, { filter: parseFilter({ n: { $gte: 70, $lt: 90 } }) }]) {
      const [result] = await searchVectors(index, [vectorOf(victim)], 10, { tuning, ...options })
      expect(result?.hits).toHaveLength(10)
      expect(result?.hits.map((hit) => hit.id)).not.toContain(id)
    }
  }
  const all = await index.scan({ limit: 10_000 })
  expect(all.documents).toHaveLength(1499)
  const damaged = {
    code: 'DOCUMENT_DAMAGED',
    message: expect.stringContaining('Store it again, or delete it'),
  }
  await expect(index.get([id])).rejects.toMatchObject(damaged)
  await expect(index.passages([id])).rejects.toMatchObject(damaged)
  expect(await index.get(['d1'])).toEqual([documents[1]!.document])
  expect(await index.stats()).toMatchObject({ documents: 1499, own: { damagedDocuments: 1 } })
}

async function heals(index: DocumentIndex): Promise<void> {
  expect(await index.upsert([victim])).toEqual({ created: 0, updated: 1 })
  expect(await index.get([id])).toEqual([victim.document])
  const [result] = await searchVectors(index, [vectorOf(victim)], 1)
  expect(result?.hits[0]).toMatchObject({ id, document: { text: victim.document.text } })
  expect(await index.stats()).toMatchObject({ documents: 1500, passages: 1500, own: { damagedDocuments: 0 } })
}

describe.each([...ROW_DAMAGES, ...PASSAGE_DAMAGES])('a document that lost %s', (_, sql) => {
  it('is left out from the start on, said once, and healed by storing it again', async () => {
    const folder = await whole.copy()
    damageRows(folder, sql)
    const index = await openIn(folder)
    await leavesItOut(index)
    const said = index.notices.filter(({ level }) => level === 'error')
    expect(said).toMatchObject([{ kind: 'document-damaged', facts: { label: DAMAGED } }])
    expect(JSON.stringify(said)).not.toContain('ext 76')
    await heals(index)
    await index.close()
    const again = await openIn(folder)
    expect(again.notices.filter(({ level }) => level === 'error')).toEqual([])
    expect(await again.scan({ limit: 10_000 })).toMatchObject({ documents: { length: 1500 } })
  })
})

describe('a document that is damaged while the index is open', () => {
  it.each([...ROW_DAMAGES, ...PASSAGE_DAMAGES])(
    'and lost %s is left out, and can be deleted',
    async (_, sql) => {
      const folder = await whole.copy()
      const index = await openIn(folder)
      damageRows(folder, sql)
      await leavesItOut(index)
      await index.close()
      const again = await openIn(folder)
      expect(await again.remove({ ids: [id] })).toEqual({ removed: 1 })
      expect(await again.get([id])).toEqual([undefined])
      expect(await again.stats()).toMatchObject({
        documents: 1499,
        passages: 1499,
        own: { damagedDocuments: 0 },
      })
    },
  )
})

describe('many damaged documents', () => {
  it('are left out, each said up to a hundred, and k others still come back', async () => {
    const folder = await whole.copy()
    damageRows(folder, "UPDATE documents SET text = 'x' WHERE document % 2 = 0")
    const index = await openIn(folder)
    const results = await searchVectors(index, documents.slice(0, 20).map(vectorOf), 700)
    for (const { hits } of results) {
      expect(hits).toHaveLength(700)
      expect(hits.every(({ id }) => Number(id.slice(1)) % 2 === 0)).toBe(true)
    }
    await index.scan({ limit: 10_000 })
    const kinds = index.notices.filter(({ level }) => level === 'error').map(({ kind }) => kind)
    expect(kinds).toEqual([...Array(100).fill('document-damaged'), 'documents-damaged'])
    expect(await index.stats()).toMatchObject({ documents: 750, own: { damagedDocuments: 750 } })
  })

  it('are refused at the start when nothing else is left', async () => {
    const folder = await whole.copy()
    damageRows(folder, "UPDATE passages SET vector = x'00'")
    await expect(openIn(folder)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('none of its 1500 documents can be read'),
    })
  })
})
