import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { databaseOf, flipBit } from '../damage.ts'
import { idsOf, vectorOf } from '../documents.ts'
import { Random, randomLongDocument } from '../random.ts'
import { copyOf, crash, DIMENSIONS, type Opened, openIn, scratchFolder, searchVectors } from '../scratch.ts'

/** A sample; the part `bit-flips` of the campaign goes on for as long as it is given. */
const ROUNDS = 8
const random = new Random(11)
const documents = Array.from({ length: 60 }, (_, i) => randomLongDocument(random, `d${i}`, DIMENSIONS))
const filters = ['a', 'b', 'c'].map((key) => parseFilter({ [key]: { $exists: true } }))

/** All that is ever asked, by name. */
async function answers(index: Opened): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const id of idsOf(documents)) {
    found.set(id, await index.get([id]).catch((error: unknown) => (error as ServiceError).code))
  }
  const probes = documents.slice(0, 10).map(vectorOf)
  found.set('nearest', await searchVectors(index, probes, 20, { tuning: { exact: true } }))
  for (const [i, filter] of filters.entries())
    found.set(`filter ${i}`, await index.scan({ limit: 1000, filter }))
  found.set('all', await index.scan({ limit: 1000 }))
  return found
}

/** Until everything was read once, and the database rebuilt where that showed damage. */
async function settled(index: Opened): Promise<void> {
  for (;;) {
    const { own } = await index.stats()
    const given = index.notices.some(({ kind }) => kind === 'database-not-rebuilt')
    if (own['scrubs']! > 0 && (own['fileDamaged'] === 0 || given)) return
    await sleep(5)
  }
}

/** The rule for any damage: it is said, or every answer is right. */
async function saidOrHarmless(
  folder: string,
  truth: Map<string, unknown>,
  bit: number,
): Promise<'refused' | 'said' | 'harmless'> {
  const index = await openIn(folder).catch((error: unknown) => error)
  if (index instanceof ServiceError) {
    expect(index.code, `bit ${bit}`).toBe('STORE_UNUSABLE')
    return 'refused'
  }
  const opened = index as Opened
  await settled(opened)
  const found = await answers(opened)
  await opened.close()
  const said = opened.notices.some(({ level }) => level === 'error')
  if (!said) {
    expect(found, `bit ${bit}`).toEqual(truth)
    return 'harmless'
  }
  const damaged = documents.filter(({ document: { id } }) => found.get(id) === 'DOCUMENT_DAMAGED')
  for (const { document } of documents) {
    const missing = opened.notices.some(({ kind }) => kind === 'commits-missing')
    const answer = found.get(document.id)
    if (answer === 'DOCUMENT_DAMAGED' || (missing && JSON.stringify(answer) === '[null]')) continue
    expect(answer, `bit ${bit}, ${document.id}`).toEqual([document])
  }
  const all = found.get('all') as { documents: { id: string }[] }
  for (const { document } of damaged) expect(all.documents.map(({ id }) => id)).not.toContain(document.id)
  return 'said'
}

/** A closed folder, and all that it answers. */
async function prepared(): Promise<{ closed: string; truth: Map<string, unknown> }> {
  const closed = await scratchFolder()
  const index = await openIn(closed)
  // Replacements leave free pages and gaps.
  const older = documents.map((given) => {
    return { ...given, document: { ...given.document, text: 'older'.repeat(500) } }
  })
  await index.upsert(older)
  await index.upsert(documents)
  const truth = await answers(index)
  await index.close()
  return { closed, truth }
}

describe('a bit that is flipped', () => {
  it('anywhere in the database is said, or harmless', async () => {
    const { closed, truth } = await prepared()
    const outcomes = { refused: 0, said: 0, harmless: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      const folder = await copyOf(closed)
      // One in each part of the file.
      const part = Math.floor((statSync(databaseOf(folder)).size * 8) / ROUNDS)
      const bit = round * part + random.below(part)
      flipBit(databaseOf(folder), bit)
      outcomes[await saidOrHarmless(folder, truth, bit)]++
    }
    expect(outcomes.said).toBeGreaterThan(0)
  })

  it('in the header, the tables or the first pages is said, or harmless', async () => {
    const { closed, truth } = await prepared()
    for (let round = 0; round < ROUNDS; round++) {
      const folder = await copyOf(closed)
      const bit = random.below(round % 2 === 0 ? 100 * 8 : 3 * 8192 * 8)
      flipBit(databaseOf(folder), bit)
      await saidOrHarmless(folder, truth, bit)
    }
  })

  it('in the log of a process that was killed is said, or harmless', async () => {
    const { truth } = await prepared()
    const folder = await scratchFolder()
    const index = await openIn(folder)
    for (let i = 0; i < documents.length; i += 10) await index.upsert(documents.slice(i, i + 10))
    const left = await crash(index, folder)
    for (let round = 0; round < ROUNDS / 2; round++) {
      const copy = await copyOf(left)
      const log = join(copy, 'store.sqlite-wal')
      const bit = random.below(statSync(log).size * 8)
      flipBit(log, bit)
      await saidOrHarmless(copy, truth, bit)
    }
  })
})
