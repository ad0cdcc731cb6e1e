import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { ServiceError } from '../../errors.ts'
import { BatchCost } from '../../inference/batch-cost.ts'
import { type DeviceOptions, openOnDevice } from '../../inference/device.ts'
import { ExitGuard } from '../../inference/exit-guard.ts'
import { QueueAccount, type QueueAccountOptions } from '../../inference/queue-account.ts'
import { type Card, MODEL_FILES, TENSORS } from '../../model/card.ts'
import { pooledIds, type RowTokens } from '../../model/prompt.ts'
import { BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import { serveWorker, Transfer } from '../../worker/serve.ts'
import type { EncoderLimits } from '../limits.ts'
import { BatchRunner } from './batch-runner.ts'
import type { CallRequest } from './encode-call.ts'
import { EncoderPipeline } from './pipeline.ts'
import { warmUp } from './warm-up.ts'

export interface WorkerOptions extends DeviceOptions {
  modelFolder: string
  card: Card
  limits: EncoderLimits
  /** Shared with the face. */
  account: QueueAccountOptions
  exitGuard: SharedArrayBuffer
}

async function start() {
  const options = workerData as WorkerOptions
  const { modelFolder, card, limits } = options
  const tokenizerJson = readFileSync(join(modelFolder, MODEL_FILES.tokenizer), 'utf8')
  const tokenizer = BodyTokenizer.load(tokenizerJson, pooledIds(card))
  const exitGuard = new ExitGuard(options.exitGuard)
  const path = join(modelFolder, MODEL_FILES.model)
  const { session, device } = await exitGuard.run(() => openOnDevice(path, card.precision, options))
  const missing = [TENSORS.inputIds, TENSORS.spans].filter((name) => !session.inputs.includes(name))
  if (missing.length > 0) {
    const message = `The model has no input ${missing.join(', ')}. Export it again.`
    throw new ServiceError('MODEL_UNUSABLE', message)
  }
  const runner = new BatchRunner(session, card.padId, card.dimensions, exitGuard)
  const run = (rows: readonly RowTokens[]) => runner.run(rows)
  const cost = new BatchCost()
  const [body] = await tokenizer.encode(['A first text, to see that the model works and how fast it is.'])
  await warmUp({ run, card, cost }, body!, limits.bulkBatchMsMax)
  const account = new QueueAccount(options.account)
  const pipeline = new EncoderPipeline({ card, tokenizer, run, cost, limits, account })
  return {
    ready: device,
    methods: {
      encode: async (request: CallRequest, signal: AbortSignal) => {
        const result = await pipeline.encode(request, signal)
        const { vectors, tokens, truncated, mostlyUnknown } = result
        const parts = [vectors, tokens, truncated, mostlyUnknown]
        return new Transfer(result, parts.map(({ buffer }) => buffer) as ArrayBuffer[])
      },
      close: async () => {
        await pipeline.close()
        await session.release()
      },
    },
  }
}

export type EncoderEngine = Awaited<ReturnType<typeof start>> & { events: object }

await serveWorker<EncoderEngine>(start)
