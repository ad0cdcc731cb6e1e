import { workerData } from 'node:worker_threads'
import { emitFromWorker, serveWorker } from '../../worker/serve.ts'
import { openEngine } from './engine.ts'
import type { WorkerData } from './wire.ts'

await serveWorker(async () => {
  const engine = await openEngine(workerData as WorkerData, {
    notice: (notice) => emitFromWorker('notice', notice),
    counts: (counts) => emitFromWorker('counts', counts),
  })
  const { counts, ...methods } = engine
  return { ready: counts(), methods }
})
