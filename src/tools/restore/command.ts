import { defineCommand } from '../../cli/command.ts'
import { flag, required, text } from '../../cli/option.ts'
import { withStopSignal } from '../../cli/stop-signal.ts'
import { say } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import { restoreBackup } from '../../index/embedded/backup/restore.ts'
import { diskFault } from '../disk.ts'

/** Makes a data folder of a backup. */
export const restoreCommand = defineCommand({
  name: 'restore',
  npm: 'npm run restore --',
  about:
    'Verifies a backup and makes a data folder of it. BACKUP is its folder, or its tar archive as it was downloaded.\n' +
    'The service that uses the data folder must be stopped. Interrupted, it leaves the folder as it was, or restored.',
  operands: { name: 'BACKUP', noun: 'backup' },
  options: {
    dataDir: required(text('FOLDER', 'the data folder; made if missing')),
    replace: flag(
      'put the documents that are in the folder aside, into a folder below it; without this they stay',
    ),
  },
  failure: 'Not restored.',
  async run({ given: { dataDir, replace }, operands: [source] }, terminal) {
    const work = (signal: AbortSignal) => restoreBackup({ source: source!, dataDir, replace }, signal)
    const announcement = 'Stopping; the data folder stays as it was.'
    const { backup, aside } = await withStopSignal(terminal, announcement, work).catch((error) => {
      throw (
        unusable(error, source!) ?? diskFault(error, { place: dataDir, advice: 'Make room and try again.' })
      )
    })
    for (const { name, documents } of backup.collections) {
      say(terminal.stdout, `Collection ${name}: ${documents} documents.`)
    }
    if (aside !== undefined) say(terminal.stdout, `What was there before is in ${aside}.`)
    say(terminal.stdout, `Restored the backup of ${backup.createdAt} into ${dataDir}, verified.`)
  },
})

function unusable(error: NodeJS.ErrnoException, source: string): ToolError | undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined
  return new ToolError('INPUT_UNUSABLE', `There is no backup ${source}.`, {}, error)
}
