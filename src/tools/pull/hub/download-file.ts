import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ServiceError } from '../../../errors.ts'
import type { RemoteFile } from './hub-client.ts'
import { HubFault } from './hub-fault.ts'
import { PartialFile } from './partial-file.ts'
import type { PullEvents } from './pull-events.ts'
import { Retries, type RetryPolicy } from './retry.ts'

/** Downloads of one file that end in a wrong checksum before the pull gives up. */
const WRONG_MAX = 3
/** So many new bytes show that a connection is worth another row of tries. */
const PROGRESS_BYTES = 1 << 20

export interface Download {
  folder: string
  /** The file's bytes from a place on; throws HubFault when they stop coming. */
  read: (file: RemoteFile, start: number) => AsyncIterable<Uint8Array>
  retry: RetryPolicy
  events: PullEvents
}

/**
 * Puts one file into the folder, whole and with the checksum the hub gives. What is there already is kept if it is
 * right; what an earlier pull left of it is gone on with. Its name holds the checksum, so that it never grows into a
 * mixture of two revisions.
 *
 * @throws HubFault after too many failures in a row; what has arrived stays for the next pull
 * @throws ServiceError MODEL_UNUSABLE when the checksum is wrong again and again, UNAVAILABLE when the disk is full
 */
export async function downloadFile(file: RemoteFile, download: Download): Promise<void> {
  const { folder, events } = download
  const target = join(folder, file.path)
  if (await isRight(target, file, events)) return events.done(file, 'kept')
  const partial = partialPath(folder, file)
  for (let wrong = 1; ; wrong++) {
    const digest = await complete(partial, file, download)
    if (digest === file.id.hex) break
    await rm(partial, { force: true })
    if (wrong >= WRONG_MAX) throw wrongChecksum(file, digest)
    events.note(`${file.path} arrived with a wrong checksum; downloading it again`)
  }
  await rename(partial, target)
  events.done(file, 'downloaded')
}

/** Where a file's beginning lies until it is whole. */
export function partialPath(folder: string, { path, id }: RemoteFile): string {
  return join(folder, `${path}.${id.hex.slice(0, 16)}${PARTIAL}`)
}
export const PARTIAL = '.partial'

/** Reads until the file has its size; returns its digest. */
async function complete(path: string, file: RemoteFile, { read, retry, events }: Download): Promise<string> {
  const partial = await PartialFile.open(path, file, (bytes) => events.progress(file, bytes, 'checking'))
  try {
    const retries = new Retries(retry)
    while (partial.size < file.size) {
      const start = partial.size
      try {
        for await (const chunk of read(file, start)) {
          await partial.append(chunk.subarray(0, file.size - partial.size))
          events.progress(file, partial.size, 'downloading')
          if (partial.size === file.size) break
        }
        if (partial.size < file.size) throw new HubFault('UNAVAILABLE', CUT, true)
      } catch (error) {
        if (!(error instanceof HubFault)) throw error
        if (partial.size - start >= PROGRESS_BYTES) retries.reset()
        const pauseMs = retries.pauseMs(error)
        events.note(`${file.path}: ${error.message} Going on in ${seconds(pauseMs)} s`)
        await wait(pauseMs)
      }
    }
    return partial.digest()
  } finally {
    await partial.close()
  }
}

const CUT = 'The connection was cut.'

async function isRight(path: string, file: RemoteFile, events: PullEvents): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found?.size !== file.size) return false
  const whole = await PartialFile.open(path, file, (bytes) => events.progress(file, bytes, 'checking'))
  try {
    return whole.digest() === file.id.hex
  } finally {
    await whole.close()
  }
}

function wrongChecksum(file: RemoteFile, found: string): ServiceError {
  const { kind, hex } = file.id
  const message = `${file.path} arrived ${WRONG_MAX} times with a wrong checksum (${kind} ${found}, the hub says ${hex}) and was deleted; try again later, or another mirror.`
  return new ServiceError('MODEL_UNUSABLE', message, { file: file.path })
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0)
}
