import { expect, test } from 'vitest'
import { openLibrary } from './library.ts'

test('documents that both legs find equally good are in the order of their ids', async () => {
  const text = 'The lighthouse keeper lights the lamp at dusk.'
  const twins = ['b', 'a', 'c'].map((id) => ({ id, text }))
  const others = ['x', 'y'].map((id) => ({ id, text: `Nothing of that sort stands in ${id}.` }))
  const library = await openLibrary([...twins, ...others])
  try {
    for (const body of [
      { mode: 'dense' },
      { mode: 'lexical' },
      { mode: 'hybrid' },
      { mode: 'hybrid', fusion: { method: 'rrf' } },
      { mode: 'hybrid', fusion: { method: 'weighted', weight: 0.5 } },
    ]) {
      const { results } = await library.search({ query: 'who lights the lamp', k: 3, ...body })
      expect(results.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    }
  } finally {
    await library.close()
  }
})
