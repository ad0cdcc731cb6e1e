import { workerData } from 'node:worker_threads'
import { loadModel } from '../../inference/thread/model-in-worker.ts'
import type { ModelWorkerData } from '../../inference/thread/model-thread.ts'
import { pooledIds } from '../../model/prompt.ts'
import { serveWorker, Transfer } from '../../worker/serve.ts'
import { embeddings } from './embeddings.ts'
import type { CallRequest } from './encode-call.ts'
import { EncoderPipeline } from './pipeline.ts'
import { TokenCounter } from './token-counter.ts'
import { warmUp } from './warm-up.ts'

async function start() {
  const options = workerData as ModelWorkerData<'encoder'>
  const { card, limits } = options
  const model = await loadModel(options, embeddings(card.dimensions), pooledIds(card))
  const { tokenizer, run, cost, account, device } = model
  const [body] = await tokenizer.encode(['A first text, to see that the model works and how fast it is.'])
  await warmUp(card, model, body!, limits.bulkBatchMsMax)
  const pipeline = new EncoderPipeline({ card, tokenizer, run, cost, limits, account })
  const counter = new TokenCounter(tokenizer)
  return {
    ready: device,
    methods: {
      countTokens: (texts: readonly string[], signal: AbortSignal) => counter.count(texts, signal),
      encode: async (request: CallRequest, signal: AbortSignal) => {
        const result = await pipeline.encode(request, signal)
        const { vectors, tokens, truncated, mostlyUnknown } = result
        const parts = [vectors, tokens, truncated, mostlyUnknown]
        return new Transfer(result, parts.map(({ buffer }) => buffer) as ArrayBuffer[])
      },
      close: async () => {
        await pipeline.close()
        await model.release()
      },
    },
  }
}

export type EncoderEngine = Awaited<ReturnType<typeof start>> & { events: object }

await serveWorker<EncoderEngine>(start)
