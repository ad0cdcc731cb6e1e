import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DocumentIndex } from '../../../src/index/document-index.ts'
import { parseFilter } from '../../../src/retrieval/checks/parse-filter.ts'
import { Bench, type ContractTest, doc, X } from './bench.ts'
import { counting } from './counting.ts'
import { dating } from './dating.ts'
import { excerpting } from './excerpting.ts'
import { patching } from './patching.ts'
import { rechunking } from './rechunking.ts'
import { refusing } from './refusing.ts'
import { searching } from './searching.ts'
import { sorting } from './sorting.ts'
import { storing } from './storing.ts'
import { byWords } from './words.ts'

export interface OpenedIndex {
  index: DocumentIndex
  /** Removes what the index leaves behind. */
  cleanUp(): Promise<void>
}

/** A promise of the contract that an engine does not keep, and why; the list is printed with the tests. */
export interface Deviation {
  reason: string
  /** Titles of the tests that it does not pass. */
  tests: readonly string[]
}

/** What every document index does, over a freshly opened one of CONTRACT_DIMENSIONS dimensions and analysis `plain`. */
export function documentIndexContract(
  name: string,
  open: () => Promise<OpenedIndex>,
  deviations: readonly Deviation[] = [],
): void {
  const left = new Set(deviations.flatMap(({ tests }) => tests))
  for (const { reason, tests } of deviations) console.log(`${name} deviates (${reason}): ${tests.join('; ')}`)

  describe(`${name} keeps the contract of document indexes`, () => {
    let opened: OpenedIndex
    let bench: Bench
    beforeAll(async () => {
      opened = await open()
      bench = new Bench(opened.index)
    })
    afterAll(async () => {
      await opened.index.close()
      await opened.cleanUp()
    })
    beforeEach(async () => {
      await bench.index.remove({ filter: parseFilter({}) })
    })
    const contractTest: ContractTest = (title, test) => {
      if (!left.delete(title)) it(title, () => test(bench))
    }
    storing(contractTest)
    searching(contractTest)
    patching(contractTest)
    counting(contractTest)
    dating(contractTest)
    sorting(contractTest)
    byWords(contractTest)
    refusing(contractTest)
    rechunking(contractTest)
    excerpting(contractTest)
  })

  describe(`${name}, closed`, () => {
    it('answers what was asked, refuses what comes, and closes again without complaint', async () => {
      const { index, cleanUp } = await open()
      await index.upsert([doc('a')])
      const inFlight = index.search([{ vector: X }], 1)
      await index.close()
      await index.close()
      expect((await inFlight)[0]?.hits).toHaveLength(1)
      const calls = [
        () => index.upsert([doc('b')]),
        () => index.get(['a']),
        () => index.passages(['a']),
        () => index.remove({ ids: ['a'] }),
        () => index.search([{ vector: X }], 1),
        () => index.scan({ limit: 1 }),
        () => index.patch({ ids: ['a'] }, { merge: {}, bytesMax: 9, valuesMax: 9 }),
        () => index.facets([['a']], { limit: 1 }),
        () => index.stats(),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await cleanUp()
    })
  })

  it(`${name} deviates only where the contract has a test`, () => expect([...left]).toEqual([]))
}
