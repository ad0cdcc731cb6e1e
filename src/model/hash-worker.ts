import { serveWorker } from '../worker/serve.ts'
import { type CardFiles, damagedFiles } from './check-files.ts'

async function start() {
  return {
    ready: undefined,
    methods: {
      check: ({ folder, files }: { folder: string; files: CardFiles }, signal: AbortSignal) =>
        damagedFiles(folder, files, { signal }),
      close: () => {},
    },
  }
}

export type HashEngine = Awaited<ReturnType<typeof start>> & { events: object }

await serveWorker<HashEngine>(start)
