import { expect, it, onTestFinished } from 'vitest'
import { type Analysis, FIRST_SETTINGS } from '../../src/index/collection-settings.ts'
import type { DocumentIndex, SearchOptions } from '../../src/index/document-index.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { indexed } from './documents.ts'
import { Random } from './random.ts'
import { DIMENSIONS, IDENTITY, scratchFolder } from './scratch.ts'

const VECTOR = new Random(1).unitVector(DIMENSIONS)
const text = (id: string, words: string, title: string | null = null, metadata = {}) =>
  indexed({ id, text: words, title, metadata }, VECTOR)

async function openWith(analysis: Analysis, limits = {}): Promise<DocumentIndex> {
  const engine = await startEmbeddedEngine({ dataDir: await scratchFolder(), limits })
  onTestFinished(() => engine.close())
  return engine.open('words', IDENTITY, { ...FIRST_SETTINGS, analysis })
}

async function ids(
  index: DocumentIndex,
  terms: string,
  k = 10,
  options: SearchOptions = {},
): Promise<string[]> {
  const [found] = await index.search([{ terms }], k, { fields: [], ...options })
  return found!.hits.map(({ id }) => id)
}

async function marked(index: DocumentIndex, terms: string, shown: string): Promise<string[]> {
  const [spans] = await index.highlight(terms, [shown])
  return spans!.map(({ start, end }) => shown.slice(start, end))
}

it('english finds and marks words whatever their ending', async () => {
  const index = await openWith('english')
  await index.upsert([
    text('a', 'Runners were running past generalizations'),
    text('b', 'It was agreed; he agrees'),
    text('c', 'cafés'),
  ])
  expect(await ids(index, 'run')).toEqual(['a'])
  expect(await ids(index, 'generalize')).toEqual(['a'])
  expect(await ids(index, 'agreed')).toEqual(['b'])
  expect(await ids(index, 'CAFE')).toEqual(['c'])
  expect(
    await marked(index, 'run AGREED general', 'Running, we agree: the runs agreed. Generalizations!'),
  ).toEqual(['Running', 'agree', 'runs', 'agreed', 'Generalizations'])
})

it('plain keeps endings', async () => {
  const index = await openWith('plain')
  await index.upsert([text('a', 'running'), text('b', 'run')])
  expect(await ids(index, 'run')).toEqual(['b'])
  expect(await marked(index, 'run', 'run running')).toEqual(['run'])
})

it('trigram finds parts of words, and what is shorter than a trigram', async () => {
  const index = await openWith('trigram')
  await index.upsert([
    text('weather', '明日の天気は晴れです。'),
    text('city', '大阪に住んでいます', '東京'),
    text('latin', 'Überschall-Knall 😀x'),
    text('end', 'ends with ab'),
  ])
  expect(await ids(index, '天気は')).toEqual(['weather'])
  expect(await ids(index, '天気')).toEqual(['weather'])
  expect(await ids(index, '京')).toEqual(['city'])
  expect(await ids(index, '東京')).toEqual(['city'])
  expect(await ids(index, 'uberschall')).toEqual(['latin'])
  expect(await ids(index, 'SCHAL')).toEqual(['latin'])
  expect(await ids(index, '😀x')).toEqual(['latin'])
  expect(await ids(index, 'ab')).toEqual(['end'])
  expect(await ids(index, '"a')).toEqual([])
  expect(await ids(index, ' \u0000 ')).toEqual([])
  expect(await marked(index, '天気 schall', '天気のSchall 天')).toEqual(['天気', 'Schall'])
})

it('looks for so many words of a query and no more', async () => {
  const index = await openWith('english', { lexicalTermsMax: 3 })
  await index.upsert([text('first', 'alpha'), text('last', 'delta')])
  expect(await ids(index, 'alpha beta beta gamma delta')).toEqual(['first'])
})

it('leaves frequent words out only where rarer ones find enough', async () => {
  const index = await openWith('english')
  const many = Array.from({ length: 11_000 }, (_, i) =>
    text(`d${i}`, `the ${i % 2000 === 0 ? 'rare' : 'word'} number${i} stands the`, null, { n: i }),
  )
  for (let i = 0; i < many.length; i += 1000) await index.upsert(many.slice(i, i + 1000))
  const [few] = await index.search([{ terms: 'the rare' }], 5)
  expect(few).toMatchObject({ path: 'pruned' })
  expect(few?.hits.map(({ id }) => id)).toEqual(['d0', 'd10000', 'd2000', 'd4000', 'd6000'])
  const [more] = await index.search([{ terms: 'the rare' }], 50)
  expect(more).toMatchObject({ path: 'exact' })
  expect(more?.hits).toHaveLength(50)
  const filter = parseFilter({ n: { $lt: 30 } })
  expect(await ids(index, 'the rare', 20, { filter })).toHaveLength(20)
  expect(await ids(index, 'the', 7)).toHaveLength(7)
})
