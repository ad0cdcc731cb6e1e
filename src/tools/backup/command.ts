import { defineCommand } from '../../cli/command.ts'
import { withStopSignal } from '../../cli/stop-signal.ts'
import { invalidUsage } from '../../cli/tool-error.ts'
import { BACKUP_OPTIONS } from './backup-options.ts'
import { backUpService } from './running-service.ts'
import { backUpFolder } from './stopped-folder.ts'

/** Makes a backup of a running service, or of a folder that none uses. */
export const backupCommand = defineCommand({
  name: 'backup',
  npm: 'npm run backup --',
  about:
    'Makes a verified copy of all documents, vectors and the HNSW graph as they are at one moment, while the service\n' +
    'is written to and searched. restore makes a data folder of it.',
  options: BACKUP_OPTIONS,
  failure: 'No backup was made.',
  async run({ given }, terminal) {
    const { url, dataDir } = given
    if (url === undefined && dataDir === undefined)
      throw invalidUsage('Say what to back up: --url for a running service, or --data-dir for a folder.')
    await withStopSignal(terminal, 'Stopping; nothing of the backup is kept.', (signal) =>
      url !== undefined
        ? backUpService(url, given, terminal, signal)
        : backUpFolder(dataDir!, given, terminal, signal),
    )
  },
})
