import { type Given, inGroup, text } from '../../cli/option.ts'

export const BACKUP_OPTIONS = {
  name: text('NAME', "the backup's name; default: made of the time"),
  ...inGroup('A running service', {
    url: {
      ...text('URL', 'address of the service, which makes and keeps the backup'),
      excludes: ['dataDir'],
    },
    apiKeyFile: { ...text('FILE', 'a file that holds a key of scope write'), needs: 'url' },
    out: {
      ...text('FILE', 'download the backup into FILE, a tar archive, and verify it there'),
      needs: 'url',
    },
  }),
  ...inGroup('A folder that no service uses', {
    dataDir: text('FOLDER', 'the data folder'),
    to: { ...text('FOLDER', 'where backups go; default: backups in the data folder'), needs: 'dataDir' },
  }),
} as const

export type BackupOptions = Given<typeof BACKUP_OPTIONS>
