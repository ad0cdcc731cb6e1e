import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { defaultConfig } from '../../../src/config/read.ts'
import { type OnnxEncoder, openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import { judgeBm25 } from '../../../src/tools/evaluate/bm25/judge-bm25.ts'
import { reportPrompts } from '../../../src/tools/evaluate/figures/compare-prompts.ts'
import { judgeSearch } from '../../../src/tools/evaluate/figures/judge-search.ts'
import { embedSample, meanNdcg } from '../../../src/tools/evaluate/figures/set-drift.ts'
import { type BeirOptions, readBeirSet } from '../../../src/tools/evaluate/judged-set/beir-set.ts'
import { sampleTexts } from '../../../src/tools/evaluate/judged-set/text-sample.ts'
import { localSystem } from '../../../src/tools/evaluate/systems/local-system.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'
import { ExactIndex } from '../../oracle/exact-index.ts'

const TEXTS = ['the river of the engine', 'the violin of the harvest', 'planet and bridge', 'one more planet']
const folder = mkdtempSync(join(tmpdir(), 'same-id-'))
let encoder: OnnxEncoder
beforeAll(async () => {
  encoder = await openOnnxEncoder({ modelFolder: await tinyModel(), device: 'cpu', intraOpThreads: 1 })
})
beforeEach(() => {
  write(
    'corpus.jsonl',
    TEXTS.map((text, i) => ({ _id: `${i}`, title: 'T', text })),
  )
  write(
    'queries.jsonl',
    TEXTS.slice(0, 3).map((text, i) => ({ _id: `${i}`, text: `T  ${text.toUpperCase()}` })),
  )
  writeFileSync(join(folder, 'qrels.tsv'), '0\t1\t1\n1\t0\t1\n2\t3\t1\n')
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await encoder.close()
})

function write(name: string, rows: object[]): void {
  writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

const read = (options: BeirOptions = {}) => readBeirSet(folder, options)

test('queries that are documents under the same ids are known by their texts', async () => {
  expect(await read()).toMatchObject({ leaveOutSameId: true })
  expect(await read({ sameId: 'keep' })).toMatchObject({ leaveOutSameId: false })
})

test.each([
  [
    'the texts differ: both are numbered from 0',
    () => write('queries.jsonl', [{ _id: '0', text: 'a question' }]),
  ],
  [
    'the ids differ',
    () => {
      write('queries.jsonl', [{ _id: 'q0', text: TEXTS[0] }])
      writeFileSync(join(folder, 'qrels.tsv'), 'q0\t1\t1\n')
    },
  ],
  [
    'a query is judged to be its own answer',
    () => writeFileSync(join(folder, 'qrels.tsv'), '0\t0\t1\n1\t2\t1\n'),
  ],
  ['queries have no word', () => write('queries.jsonl', [{ _id: '0', text: '???' }])],
  ['there is no corpus, and its documents are stored already', () => rmSync(join(folder, 'corpus.jsonl'))],
])('equal ids count where %s', async (_case, change) => {
  change()
  expect(await read()).toMatchObject({ leaveOutSameId: false })
  expect(await read({ sameId: 'leave-out' })).toMatchObject({ leaveOutSameId: true })
})

test('every figure leaves the query itself out', async () => {
  const left = await read()
  const kept = { ...left, leaveOutSameId: false }
  const figures = async (set: typeof left) => {
    const system = localSystem({
      encoder,
      index: new ExactIndex(encoder.card.dimensions),
      limits: defaultConfig(),
    })
    const search = await judgeSearch(system, set)
    const sample = await sampleTexts(set)
    return {
      exact: search.exact['ndcg@10'],
      hnsw: search.hnsw['ndcg@10'],
      bm25: (await judgeBm25(set))['mrr@10'],
      prompts: (await reportPrompts(system, sample))['ndcg@10'].ebae_both,
      drift: meanNdcg(await embedSample(encoder, sample), sample),
    }
  }
  const [without, withSelf] = [await figures(left), await figures(kept)]
  // The question is its own best answer where it counts, so that each right one moves down.
  expect(withSelf.bm25).toBeLessThanOrEqual(0.5)
  expect(without.bm25).toBe(1)
  expect(without.prompts).toBeGreaterThan(withSelf.prompts)
  for (const name of ['exact', 'hnsw', 'drift'] as const) {
    expect(without[name], name).toBeGreaterThanOrEqual(withSelf[name])
    expect(without[name], name).toBeLessThanOrEqual(1)
  }
  expect(without.exact).toBeCloseTo(without.drift, 6)
})
