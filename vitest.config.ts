import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native modules live in worker threads and child processes: one process per test file keeps them apart.
    pool: 'forks',
    globalSetup: ['test/temporary-folder.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
