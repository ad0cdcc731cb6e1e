import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCard } from '../../../../src/model/read-card.ts'
import { recordInCard } from '../../../../src/tools/evaluate/report/record-in-card.ts'
import { tinyModel } from '../../../fixtures/tiny-model.ts'
import { REPORT } from './example-report.ts'

test('figures go into the card without touching the identity of the model', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'card-'))
  try {
    await cp(await tinyModel(), folder, { recursive: true })
    const before = readCard(folder)
    await recordInCard(folder, { ...REPORT, set: 'one' })
    await recordInCard(folder, { ...REPORT, set: 'two' })
    const { drift, ...later } = REPORT
    await recordInCard(folder, { ...later, set: 'one' })
    const card = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'))
    expect(Object.keys(card.quality.evaluation)).toEqual(['one', 'two'])
    expect(card.quality.evaluation.one.exact['mrr@10']).toBe(0.3333)
    expect(card.quality.evaluation.one.drift.documents.worstCosine).toBe(0.987654)
    expect(card.quality.evaluation.one.drift['ndcg@10'].change).toBe(-0.0123)
    expect(readCard(folder).fingerprint).toBe(before.fingerprint)
  } finally {
    await rm(folder, { recursive: true })
  }
})
