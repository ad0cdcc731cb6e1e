import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: {
    // As src/encoder/onnx and src/index/embedded write it.
    alias: { '../../worker/spawn.ts': fileURLToPath(new URL('./test/built-worker.ts', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Native modules live in worker threads and child processes: one process per test file keeps them apart.
    pool: 'forks',
    globalSetup: ['test/temporary-folder.ts', 'test/build.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
