import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pairTokens, queryPart, textPart } from '../../../src/model/pair.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { BodyTokenizer } from '../../../src/model/tokenizer/body-tokenizer.ts'
import { openOnnxReranker } from '../../../src/reranker/onnx/onnx-reranker.ts'
import { GOLDEN_RERANKERS, goldenReranker, readGoldenPairs } from '../../fixtures/golden-rerankers.ts'

/** Distance to what transformers computes, in float32. */
const TOLERANCE = 1e-4

test.each(GOLDEN_RERANKERS)('%s puts pairs as the reference code does', async (name) => {
  const folder = await goldenReranker(name)
  const { template } = readCard(folder, 'reranker')
  const tokenizer = BodyTokenizer.load(
    readFileSync(join(folder, 'tokenizer.json'), 'utf8'),
    template.reservedIds,
  )
  const { pairs, ids } = readGoldenPairs(name)
  const queries = await tokenizer.encode(pairs.map(([query]) => queryPart(template, query)))
  const texts = await tokenizer.encode(pairs.map(([, text]) => textPart(template, text)))
  const rows = pairs.map((_, i) => [...pairTokens(template, queries[i]!, texts[i]!).ids])
  expect(rows).toEqual(ids)
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThanOrEqual(template.maxTokens)
})

test.each(GOLDEN_RERANKERS)('%s gives the scores of transformers, from text to score', async (name) => {
  const modelFolder = await goldenReranker(name)
  const reranker = await openOnnxReranker({ modelFolder, device: 'cpu', intraOpThreads: 1 })
  const { pairs, ids, scores } = readGoldenPairs(name)
  for (const [i, [query, text]] of pairs.entries()) {
    const alone = await reranker.score(query, [text])
    const among = await reranker.score(query, [...pairs.map(([, other]) => other), text])
    expect(alone.tokens[0]).toBe(ids[i]!.length)
    expect(Math.abs(alone.scores[0]! - scores[i]!)).toBeLessThan(TOLERANCE)
    expect(Math.abs(among.scores.at(-1)! - scores[i]!)).toBeLessThan(TOLERANCE)
  }
  await reranker.close()
})

test('a card says what is read, for people', async () => {
  const shown = GOLDEN_RERANKERS.map(
    async (name) => readCard(await goldenReranker(name), 'reranker').template.shown,
  )
  expect(await Promise.all(shown)).toEqual([
    '<s>query: {query}<s>document: {text}',
    '<s>query: {query} document: {text}</s>',
    expect.stringMatching(/^<s>A: \{query\}\nB: \{text\}\nGiven a query A and .* 'Yes' or 'No'\.$/),
    expect.stringMatching(/^<s>A: /),
  ])
})
