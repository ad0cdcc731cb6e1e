import { workerData } from 'node:worker_threads'
import { type Emit, serveWorker } from '../../worker/serve.ts'
import { type HostEvents, openCollectionsHost } from './collections-host.ts'
import type { WorkerData } from './wire.ts'

async function start(emit: Emit<HostEvents>) {
  return { ready: undefined, methods: openCollectionsHost(workerData as WorkerData, emit) }
}

export type IndexWorker = Awaited<ReturnType<typeof start>> & { events: HostEvents }

await serveWorker<IndexWorker>(start)
