import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { ServiceError } from '../../errors.ts'
import { BatchCost } from '../../inference/batch-cost.ts'
import { type DeviceOptions, openOnDevice } from '../../inference/device.ts'
import { ExitGuard } from '../../inference/exit-guard.ts'
import type { EncoderLimits } from '../../inference/limits.ts'
import { LoadCounters } from '../../inference/load-counters.ts'
import { type Card, GRAPH, MODEL_FILES } from '../../model/card.ts'
import { BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import { serveWorker, Transfer } from '../../worker/serve.ts'
import { BatchRunner } from './batch-runner.ts'
import type { CallRequest } from './encode-call.ts'
import { EncoderPipeline } from './pipeline.ts'
import { warmUp } from './warm-up.ts'

export interface WorkerOptions extends DeviceOptions {
  modelFolder: string
  card: Card
  limits: EncoderLimits
  /** Shared with the face. */
  counters: SharedArrayBuffer
  exitGuard: SharedArrayBuffer
}

async function start() {
  const options = workerData as WorkerOptions
  const { modelFolder, card, limits } = options
  const tokenizer = loadTokenizer(modelFolder, card)
  const exitGuard = new ExitGuard(options.exitGuard)
  const graph = join(modelFolder, MODEL_FILES.graph)
  const { session, device } = await exitGuard.run(() => openOnDevice(graph, card.precision, options))
  const missing = [GRAPH.inputIds, GRAPH.spans].filter((name) => !session.inputs.includes(name))
  if (missing.length > 0) {
    throw new ServiceError(
      'MODEL_UNUSABLE',
      `The graph has no input ${missing.join()}. Export the model again.`,
    )
  }
  const runner = new BatchRunner(session, card.padId, card.dimensions, exitGuard)
  const cost = new BatchCost()
  const [body] = await tokenizer.encode(['A first text, to see that the model works and how fast it is.'])
  await warmUp(runner, card, cost, body!, limits.bulkBatchMsMax)
  const counters = new LoadCounters(options.counters)
  const pipeline = new EncoderPipeline({ card, tokenizer, runner, cost, limits, counters })
  return {
    ready: device,
    methods: {
      encode: async (request: CallRequest, signal: AbortSignal) => {
        const result = await pipeline.encode(request, signal)
        const { vectors, tokens, truncated } = result
        return new Transfer(result, [vectors.buffer, tokens.buffer, truncated.buffer] as ArrayBuffer[])
      },
      close: async () => {
        await pipeline.close()
        await session.release()
      },
    },
  }
}

/** The ids a prompt pools are special to the model, also where tokenizer.json does not mark them so. */
function loadTokenizer(modelFolder: string, card: Card): BodyTokenizer {
  const pooled = Object.values(card.prompts).flatMap(({ suffixIds }) => suffixIds.slice(-card.pooling.tokens))
  return BodyTokenizer.load(readFileSync(join(modelFolder, MODEL_FILES.tokenizer), 'utf8'), pooled)
}

export type EncoderEngine = Awaited<ReturnType<typeof start>> & { events: object }

await serveWorker<EncoderEngine>(start)
