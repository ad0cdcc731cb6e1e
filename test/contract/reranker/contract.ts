import { afterAll, describe } from 'vitest'
import type { Reranker } from '../../../src/reranker/reranker.ts'
import { type Bench, type ContractLimits, ONE_ROW, type RerankerSubject } from './bench.ts'
import { queueing } from './queueing.ts'
import { scoring } from './scoring.ts'

/** What every reranker promises, whatever runs inside. */
export function rerankerContract(name: string, subject: RerankerSubject): void {
  const opened: Reranker[] = []
  const open = async (limits?: ContractLimits) => {
    const reranker = await subject.open(limits)
    opened.push(reranker)
    return reranker
  }
  const once = (limits?: ContractLimits) => {
    let shared: Promise<Reranker> | undefined
    return () => {
      shared ??= open(limits)
      return shared
    }
  }
  const { word, specialTokens } = subject
  const sharingNarrow = once({ batchTokensMax: ONE_ROW, queueTextsMax: 100 })
  const bench: Bench = { word, specialTokens, sharing: once(), sharingNarrow, open }
  afterAll(async () => {
    for (const reranker of opened) await reranker.close()
  })

  describe(`reranker contract: ${name}`, () => {
    scoring(bench)
    queueing(bench)
  })
}
