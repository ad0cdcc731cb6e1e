import { afterEach, expect, test } from 'vitest'
import { judgeModes } from '../../../../src/tools/evaluate/figures/judge-modes.ts'
import { serviceSystem } from '../../../../src/tools/evaluate/systems/service-system.ts'
import { tagFor } from '../../../../src/tools/evaluate/systems/stored-set.ts'
import { ServiceClient } from '../../../../src/tools/service-client.ts'
import { tinyReranker } from '../../../fixtures/tiny-reranker.ts'
import { LIBRARY, openLibrary } from '../../../http/hybrid/library.ts'
import { judgedSet } from '../small-set.ts'

let library: Awaited<ReturnType<typeof openLibrary>>
afterEach(() => library.close())

const QUERY = 'water and E1042'

/** The service, which holds the set already. */
function system() {
  const client = new ServiceClient(library.url, { key: undefined, keyAdvice: '' })
  return serviceSystem(client, tagFor({ plainIds: true }), { useExisting: true })
}

test('a running service is judged by the order of its own reranker', async () => {
  library = await openLibrary(LIBRARY, { reranker: await tinyReranker() })
  const asked = { query: QUERY, mode: 'hybrid', k: 9, rerank: { top_n: 100 } }
  const { results } = await library.search(asked)
  const set = judgedSet({ one: { text: QUERY, grades: { [results[3]!.id]: 1 } } }, LIBRARY)
  const { modes } = await judgeModes(await system(), set, ['rerank'], { useExisting: true })
  expect(modes.rerank).toMatchObject({ 'mrr@10': 0.25, 'recall@10': 1, 'recall@100': 1 })
})

test('a reranker that is not heard in time is not judged by the order of the search', async () => {
  library = await openLibrary(LIBRARY, { reranker: await tinyReranker(), rerankMsMax: 1 })
  const set = judgedSet({ one: { text: QUERY, grades: { rain: 1 } } }, LIBRARY)
  await expect(judgeModes(await system(), set, ['rerank'], { useExisting: true })).rejects.toMatchObject({
    code: 'INPUT_UNUSABLE',
    message: expect.stringContaining('deadline'),
  })
})
