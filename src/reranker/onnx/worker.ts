import { workerData } from 'node:worker_threads'
import { firstRunFault, loadModel, measureRates } from '../../inference/thread/model-in-worker.ts'
import type { ModelWorkerData } from '../../inference/thread/model-thread.ts'
import { pairTokens, queryPart, textPart, textTokensMax } from '../../model/pair.ts'
import { serveWorker, Transfer } from '../../worker/serve.ts'
import { RerankerPipeline } from './pipeline.ts'
import type { ScoreRequest } from './score-call.ts'
import { SCORES } from './scores.ts'

async function start() {
  const options = workerData as ModelWorkerData<'reranker'>
  const { template } = options.card
  const { limits } = options
  const model = await loadModel(options, SCORES, template.reservedIds)
  const { tokenizer, run, cost, account, device } = model
  const [query, text] = await tokenizer.encode([
    queryPart(template, 'Does the model work?'),
    textPart(template, 'A first text, to see that the model works and how fast it is.'),
  ])
  const row = (tokens: number) => {
    const ids = Uint32Array.from({ length: tokens }, (_, i) => text![i % text!.length]!)
    return pairTokens(template, query!, ids)
  }
  const queryTokens = Math.min(query!.length, template.maxQueryTokens)
  try {
    // The first run allocates and is not typical.
    await run([row(1)])
    await measureRates(model, row, textTokensMax(template, queryTokens), limits.bulkBatchMsMax)
  } catch (cause) {
    throw firstRunFault(cause)
  }
  const pipeline = new RerankerPipeline({ template, tokenizer, run, cost, limits, account })
  return {
    ready: device,
    methods: {
      score: async (request: ScoreRequest, signal: AbortSignal) => {
        const result = await pipeline.score(request, signal)
        const parts = [result.scores, result.tokens, result.truncated]
        return new Transfer(result, parts.map(({ buffer }) => buffer) as ArrayBuffer[])
      },
      close: async () => {
        await pipeline.close()
        await model.release()
      },
    },
  }
}

export type RerankerEngine = Awaited<ReturnType<typeof start>> & { events: object }

await serveWorker<RerankerEngine>(start)
