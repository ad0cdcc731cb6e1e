import { expect } from 'vitest'
import { indexed } from '../../index/documents.ts'
import { type ContractTest, doc, v, X } from './bench.ts'

const PASSAGES = { kind: 'passages', tokens: 64, overlap: 0, title: true } as const

/** New vectors for what is stored, while others write. */
export function rechunking(contractTest: ContractTest): void {
  contractTest('stores new passages unless the document has changed', async (bench) => {
    const { index } = bench
    const content = { title: 'T', text: 'as it was', metadata: { n: 1 } }
    const [same, other, gone] = ['same', 'other', 'gone'].map((id) => indexed({ id, ...content }, X))
    await index.upsert([same!, other!, gone!])
    await index.upsert([indexed({ ...content, id: 'other', metadata: { n: 2 } }, v(0, 1, 0, 0))])
    await index.remove({ ids: ['gone'] })

    const again = [same!, other!, gone!].map((each) => ({
      ...each,
      passages: [
        { span: { start: 0, end: 2 }, vector: v(0, 0, 1, 0) },
        { span: { start: 3, end: 9 }, vector: v(0, 0, 0, 1) },
      ],
    }))
    expect(await index.upsert(again, { unlessChanged: true })).toEqual({
      created: 0,
      updated: 1,
      changed: ['other', 'gone'],
    })
    expect(await index.passages(['same', 'other', 'gone'])).toEqual([
      again[0]!.passages,
      [{ span: { start: 0, end: 9 }, vector: v(0, 1, 0, 0) }],
      undefined,
    ])
    expect(await index.get(['other'])).toMatchObject([{ metadata: { n: 2 } }])
    expect(await index.stats()).toMatchObject({ documents: 2, passages: 3 })
  })

  contractTest('refuses documents that were cut in another way than it now wants', async (bench) => {
    const { index } = bench
    const before = index.settings.chunking
    await index.configure({ chunking: PASSAGES })
    const late = index.upsert([doc('a')], { chunking: { ...PASSAGES, tokens: 63 } })
    await expect(late).rejects.toMatchObject({ code: 'CONFLICT', details: { field: 'chunking' } })
    expect(await bench.count()).toBe(0)
    expect(await index.upsert([doc('a')], { chunking: { ...PASSAGES } })).toMatchObject({ created: 1 })
    await index.configure({ chunking: before })
  })
}
