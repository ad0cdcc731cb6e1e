import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { byteSize } from '../../cli/byte-size.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import { backUpStopped } from '../../index/embedded/backup/stopped-folder.ts'
import type { BackupOptions } from './backup-options.ts'

/** Makes a backup of a folder that no process uses. */
export async function backUpFolder(
  dataDir: string,
  { name, to = join(dataDir, 'backups') }: BackupOptions,
  { stdout }: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (!existsSync(dataDir)) throw new ToolError('INPUT_UNUSABLE', `There is no folder ${dataDir}.`)
  const backup = await backUpStopped({ dataDir, backupDir: to, name }, signal)
  const documents = backup.collections.reduce((sum, collection) => sum + collection.documents, 0)
  say(stdout, `Backup ${join(to, backup.name)}: ${documents} documents, ${byteSize(backup.bytes)}, verified.`)
}
