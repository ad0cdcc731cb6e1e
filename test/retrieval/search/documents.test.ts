import { expect, test } from 'vitest'
import { search } from '../../../src/retrieval/search/search.ts'
import { openLibrary, watched } from './library.ts'

const target = { kind: 'texts', texts: ['shared word4'], task: 'retrieval', field: 'query' } as const

test('a document that is deleted after it was found makes room for the next', async () => {
  const retrieval = await openLibrary(12)
  const all = await search(retrieval, { target, mode: 'hybrid', k: 12, options: {} })
  const ids = all.batches[0]!.hits.map(({ id }) => id)
  const { index } = retrieval
  let searched = 0
  const deleting = new Proxy(
    watched(index, async () => {}),
    {
      get(from, name) {
        const value: unknown = Reflect.get(from, name)
        if (name !== 'search') return value
        return async (...args: Parameters<typeof index.search>) => {
          const found = await index.search(...args)
          if (++searched === 2) await index.remove({ ids: [ids[0]!, ids[2]!] })
          return found
        }
      },
    },
  )
  const { batches } = await search(
    { ...retrieval, index: deleting },
    { target, mode: 'hybrid', k: 4, options: {} },
  )
  const hits = batches[0]!.hits
  expect(hits.map(({ id }) => id)).toEqual([ids[1], ids[3], ids[4], ids[5]])
  for (const { id, document } of hits) expect(document?.text).toBe(`shared word${id.slice(1)}`)
})
