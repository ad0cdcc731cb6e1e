import { open, rename, rm } from 'node:fs/promises'
import { byteSize } from '../../cli/byte-size.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { ToolError } from '../../cli/tool-error.ts'
import { verifyArchive } from '../../index/embedded/backup/archive.ts'
import { readApiKeyFile } from '../api-key-file.ts'
import { diskFault } from '../disk.ts'
import { ServiceClient } from '../service-client.ts'
import type { BackupOptions } from './backup-options.ts'

interface WireBackup {
  name: string
  bytes: number
  collections: { documents: number }[]
  removed: string[]
}

/** Asks a service for a backup, and fetches it where `out` is given. */
export async function backUpService(
  url: string,
  { name, apiKeyFile, out }: BackupOptions,
  { stdout, stderr }: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const target = out === undefined ? undefined : await reserve(out)
  try {
    const client = new ServiceClient(url, {
      key: readApiKeyFile(apiKeyFile),
      keyAdvice: 'Pass a key of scope write with --api-key-file.',
      // What makes a backup impossible, such as a full disk, does not pass by itself.
      retryMsMax: 0,
    })
    const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`
    const made = await client.send<WireBackup>({ method: 'POST', path: `/backups${query}`, signal })
    const documents = made.collections.reduce((sum, collection) => sum + collection.documents, 0)
    say(stdout, `Backup ${made.name}: ${documents} documents, ${byteSize(made.bytes)}, verified.`)
    for (const old of made.removed) say(stderr, `Removed the older backup ${old}.`)
    if (!target || out === undefined) return
    await client.download({ method: 'GET', path: `/backups/${made.name}`, signal }, target.part)
    await verifyArchive(target.part)
    await settle(target.part)
    await rename(target.part, out)
    say(stdout, `Downloaded into ${out}, verified.`)
  } catch (error) {
    throw out === undefined ? error : diskFault(error, { place: out, advice: 'Make room and try again.' })
  } finally {
    await target?.release()
  }
}

/** Refuses a place that is taken, before the service is put to work. */
async function reserve(out: string) {
  const taken = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') {
      throw new ToolError(
        'OUTPUT_EXISTS',
        `${out} or ${part} exists already. Name another file, or delete it.`,
      )
    }
    throw diskFault(error, { place: out, advice: 'Make room and try again.' })
  }
  const part = `${out}.part`
  const existing = await open(out, 'r').catch(() => undefined)
  if (existing) {
    await existing.close()
    taken(Object.assign(new Error(), { code: 'EEXIST' }))
  }
  await (await open(part, 'wx').catch(taken)).close()
  return { part, release: () => rm(part, { force: true }) }
}

async function settle(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.sync().finally(() => file.close())
}
