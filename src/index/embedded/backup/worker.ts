import { serveWorker } from '../../../worker/serve.ts'
import { backupFault } from './backup-fault.ts'
import { type MakeBackup, makeBackup } from './make-backup.ts'

async function start() {
  return {
    ready: undefined,
    methods: {
      make: (call: MakeBackup, signal: AbortSignal) =>
        makeBackup(call, signal).catch((error) => {
          throw backupFault(error)
        }),
      close: () => {},
    },
  }
}

export type BackupWorker = Awaited<ReturnType<typeof start>> & { events: object }

await serveWorker<BackupWorker>(start)
