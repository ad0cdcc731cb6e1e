import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncodeOptions, Lane, Prompt } from '../../../src/encoder/encoder.ts'
import { ENCODER_LIMITS } from '../../../src/encoder/limits.ts'
import { embeddings } from '../../../src/encoder/onnx/embeddings.ts'
import type { CallRequest } from '../../../src/encoder/onnx/encode-call.ts'
import { EncoderPipeline } from '../../../src/encoder/onnx/pipeline.ts'
import { BatchCost } from '../../../src/inference/batch-cost.ts'
import { BatchRunner } from '../../../src/inference/pipeline/batch-runner.ts'
import { epochMs } from '../../../src/inference/pipeline/row-call.ts'
import { QueueAccount } from '../../../src/inference/queue-account.ts'
import { type ModelSession, openSession } from '../../../src/inference/session.ts'
import { limitsFrom } from '../../../src/limits.ts'
import { type Card, MODEL_FILES } from '../../../src/model/card.ts'
import { passesOf, type RowTokens, rowTokensMax } from '../../../src/model/prompt.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { BodyTokenizer } from '../../../src/model/tokenizer/body-tokenizer.ts'

/** A model folder, opened in this thread. */
export interface OpenModel {
  card: Card
  tokenizer: BodyTokenizer
  session: ModelSession
}

export async function openModel(folder: string): Promise<OpenModel> {
  const path = join(folder, MODEL_FILES.model)
  return {
    card: readCard(folder),
    tokenizer: BodyTokenizer.load(readFileSync(join(folder, MODEL_FILES.tokenizer), 'utf8')),
    session: await openSession(path, { provider: 'cpu', intraOpThreads: 1, spinning: false, deviceId: 0 }),
  }
}

export interface Watch {
  /** Called before and right after batch number `count`, from 1 on. */
  beforeBatch?: (count: number) => void
  afterBatch?: (count: number) => void
}

export const NOTHING = { interactive: 0, bulk: 0, tokens: 0 }

/** The pipeline in this thread, so that a test can act in the middle of a batch. One row a batch. */
export function openPipeline({ card, tokenizer, session }: OpenModel, watch: Watch = {}) {
  const { beforeBatch, afterBatch } = watch
  const runner = new BatchRunner(session, card.padId, embeddings(card.dimensions))
  /** Lengths of the rows of each batch. */
  const batches: number[][] = []
  const run = async (rows: readonly RowTokens[]) => {
    batches.push(rows.map(({ ids }) => ids.length))
    beforeBatch?.(batches.length)
    const embeddings = await runner.run(rows)
    afterBatch?.(batches.length)
    return embeddings
  }
  const limits = { ...limitsFrom(ENCODER_LIMITS), batchTokensMax: 1 }
  const account = new QueueAccount({ name: 'encoder', limits, rowTokensMax: rowTokensMax(card) })
  const pipeline = new EncoderPipeline({ card, tokenizer, run, cost: new BatchCost(), limits, account })
  const encode = (
    texts: string[],
    lane: Lane = 'bulk',
    { signal = new AbortController().signal, truncate = 'end' }: EncodeOptions = {},
    prompts: readonly Prompt[] = ['ebae'],
  ) => {
    const passes = passesOf(card, prompts)
    account.ticket(texts, lane, passes.length).admit()
    const request: CallRequest = {
      texts,
      passes,
      lane,
      client: '',
      truncate,
      submittedAt: epochMs(),
    }
    return pipeline.encode(request, signal)
  }
  const waiting = () => {
    const { waitingTexts, waitingTokens } = account.stats()
    return { ...waitingTexts, tokens: waitingTokens }
  }
  return { batches, pipeline, encode, waiting }
}
