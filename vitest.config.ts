import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** What starts servers and other processes, kills them, exports models, or works on thousands of vectors. */
const SLOW = [
  'test/system/**/*.test.ts',
  'test/tools/**/*.test.ts',
  'test/app.test.ts',
  'test/dockerfile.test.ts',
  'test/sample.test.ts',
  'test/collections/{killed,thousand}.test.ts',
  'test/encoder/**/*.test.ts',
  'test/reranker/**/*.test.ts',
  'test/http/{backups,disk-full,ingest-stream,limits,store-lost}.test.ts',
  'test/http/fairness/*.test.ts',
  'test/index/{backup,disk-reserve,collections,concurrency,durability,filter-index,folder-lock,graph,records,restore-interrupted,graph-damage,migration,words-migration,model}.test.ts',
  'test/index/integrity/**/*.test.ts',
  'test/jobs/*.test.ts',
  'test/inference/{device,no-telemetry}.test.ts',
]

export default defineConfig({
  resolve: {
    // As src/inference/thread and src/index/embedded write it.
    alias: { '../../worker/spawn.ts': fileURLToPath(new URL('./test/built-worker.ts', import.meta.url)) },
  },
  test: {
    // Native modules live in worker threads and child processes: one process per test file keeps them apart.
    pool: 'forks',
    globalSetup: ['test/temporary-folder.ts', 'test/build.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: SLOW, isolate: false },
      },
      { extends: true, test: { name: 'slow', include: SLOW } },
    ],
  },
})
