import { Worker } from 'node:worker_threads'

/**
 * A worker thread from a module beside the caller: `new URL('./worker.ts', import.meta.url)`. The compiler leaves
 * that name alone, so in the build the file is found under its `.js` name. From sources (tests, scripts) Node 20
 * cannot load TypeScript by itself: there the development dependency tsx is registered first.
 */
export function spawnWorker(entry: URL, workerData: unknown, builtFrom: string): Worker {
  if (builtFrom.endsWith('.js')) {
    return new Worker(new URL(entry.href.replace(/\.ts$/, '.js')), { workerData })
  }
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}) })`
  return new Worker(boot, { eval: true, workerData })
}
