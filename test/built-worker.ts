import { Worker } from 'node:worker_threads'

/**
 * Stands in for src/worker/spawn.ts where the product starts its workers (vitest.config.ts): they run from the build,
 * which is made before the tests begin, instead of being compiled again for each of hundreds.
 */
export function spawnWorker(entry: URL, workerData: unknown): Worker {
  const [root, file] = entry.href.split('/src/') as [string, string]
  return new Worker(new URL(`${root}/dist/${file.replace(/\.ts$/, '.js')}`), { workerData })
}
