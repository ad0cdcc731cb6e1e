import { workerData } from 'node:worker_threads'
import { type Emit, serveWorker } from '../../worker/serve.ts'
import { type EngineEvents, openEngine } from './engine.ts'
import type { WorkerData } from './wire.ts'

async function start(emit: Emit<EngineEvents>) {
  const { counts, ...methods } = await openEngine(workerData as WorkerData, emit)
  return { ready: counts(), methods }
}

export type IndexEngine = Awaited<ReturnType<typeof start>> & { events: EngineEvents }

await serveWorker<IndexEngine>(start)
