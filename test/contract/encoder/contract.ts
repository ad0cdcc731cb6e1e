import { afterAll, describe } from 'vitest'
import type { Encoder } from '../../../src/encoder/encoder.ts'
import { type Bench, type ContractLimits, type EncoderSubject, ONE_ROW } from './bench.ts'
import { embedding } from './embedding.ts'
import { queueing } from './queueing.ts'

/** What every encoder promises, whatever runs inside. */
export function encoderContract(name: string, subject: EncoderSubject): void {
  const opened: Encoder[] = []
  const open = async (limits?: ContractLimits) => {
    const encoder = await subject.open(limits)
    opened.push(encoder)
    return encoder
  }
  const once = (limits?: ContractLimits) => {
    let shared: Promise<Encoder> | undefined
    return () => {
      shared ??= open(limits)
      return shared
    }
  }
  const { word, specialTokens } = subject
  const sharingNarrow = once({ batchTokensMax: ONE_ROW, queueTextsMax: 1000 })
  const bench: Bench = { word, specialTokens, sharing: once(), sharingNarrow, open }
  afterAll(async () => {
    for (const encoder of opened) await encoder.close()
  })

  describe(`encoder contract: ${name}`, () => {
    embedding(bench)
    queueing(bench)
  })
}
