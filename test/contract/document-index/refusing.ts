import { expect } from 'vitest'
import { type ContractTest, doc, X } from './bench.ts'

/** What is refused, without a trace. */
export function refusing(contractTest: ContractTest): void {
  contractTest('refuses vectors that have no direction here, and changes nothing', async (bench) => {
    const { index } = bench
    await index.upsert([doc('kept')])
    const bad = [
      Float32Array.of(1, 0),
      Float32Array.of(Number.NaN, 0, 0, 0),
      Float32Array.of(0, 0, 0, 0),
      Float32Array.of(Number.POSITIVE_INFINITY, 0, 0, 0),
    ]
    for (const vector of bad) {
      const refused = { code: 'INVALID_INPUT', details: { field: 'vector' } }
      await expect(index.upsert([doc('a'), doc('b', vector)])).rejects.toMatchObject(refused)
      await expect(bench.search([X, vector], 1)).rejects.toMatchObject(refused)
    }
    expect(await bench.count()).toBe(1)
  })

  contractTest('refuses cursors of others', async ({ index }) => {
    for (const cursor of ['kept', '', 'MQ', '1a']) {
      await expect(index.scan({ limit: 1, cursor })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    }
  })

  contractTest('refuses the kinds of probes that its capabilities rule out', async (bench) => {
    const { index } = bench
    const { vectors, lexical } = index.capabilities
    if (!vectors) await expect(bench.search([X], 1)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    const terms = index.search([{ terms: 'some words' }], 1)
    if (lexical) expect(await terms).toHaveLength(1)
    else await expect(terms).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  contractTest('stops for a caller who has given up', async (bench) => {
    const { index } = bench
    await index.upsert([doc('a')])
    const signal = AbortSignal.abort()
    const calls = [
      () => index.upsert([doc('b')], { signal }),
      () => index.get(['a'], { signal }),
      () => index.passages(['a'], { signal }),
      () => index.remove({ ids: ['a'] }, { signal }),
      () => bench.search([X], 1, { signal }),
      () => index.search([{ terms: 'text' }], 1, { signal }),
      () => index.scan({ limit: 1, signal }),
      () => index.patch({ ids: ['a'] }, { merge: {}, bytesMax: 9, valuesMax: 9 }, { signal }),
      () => index.facets([['a']], { limit: 1, signal }),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await bench.ids(X, 10)).toEqual(['a'])
  })
}
