import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ToolError } from '../../../cli/tool-error.ts'
import type { RemoteFile } from './hub-client.ts'
import { HubFault } from './hub-fault.ts'
import { PartialFile } from './partial-file.ts'
import { Retries, type RetryPolicy } from './retry.ts'

/** Downloads of one file that end in a wrong checksum before the pull gives up. */
const WRONG_MAX = 3
/** After this many new bytes the tries are counted anew: the connection works, if badly. */
const PROGRESS_BYTES = 1 << 20

/** What a pull reports while it runs. */
export interface PullEvents {
  /** Which commit the revision is, and all files that will be there. */
  plan(commit: string, files: readonly RemoteFile[]): void
  /** Bytes of a file that are there; `checking` reads what was there before. */
  progress(file: RemoteFile, bytes: number, phase: 'checking' | 'downloading'): void
  done(file: RemoteFile, how: 'kept' | 'downloaded'): void
  /** Something the user should know: a retry, a revision that moved. */
  note(text: string): void
}

export interface Download {
  folder: string
  /** The file's bytes from a place on; throws HubFault when they stop coming. */
  read: (file: RemoteFile, start: number) => AsyncIterable<Uint8Array>
  retry: RetryPolicy
  events: PullEvents
}

/**
 * Puts one file into the folder, whole and with the checksum the hub gives. What is there already is kept if it is
 * right; what an earlier pull left of it is continued. The name of the partial file holds the checksum, so that two
 * revisions are never mixed.
 *
 * @throws HubFault after too many failures in a row; what has arrived stays for the next pull
 * @throws ToolError DOWNLOAD_FAILED when the checksum is wrong again and again, DISK_FULL
 */
export async function downloadFile(file: RemoteFile, download: Download): Promise<void> {
  const { folder, events } = download
  const target = join(folder, file.path)
  if (await isRight(target, file, events)) return events.done(file, 'kept')
  await mkdir(dirname(target), { recursive: true })
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
        if (partial.size < file.size) throw new HubFault('DOWNLOAD_FAILED', CUT, true)
      } catch (error) {
        if (!(error instanceof HubFault)) throw error
        if (partial.size - start >= PROGRESS_BYTES) retries.reset()
        const pauseMs = retries.pauseMs(error)
        events.note(`${file.path}: ${error.message} Trying again in ${seconds(pauseMs)} s`)
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

function wrongChecksum(file: RemoteFile, found: string): ToolError {
  const { kind, hex } = file.id
  const message = `${file.path} arrived ${WRONG_MAX} times with a wrong checksum (${kind} ${found}, the hub says ${hex}) and was deleted. Try again later, or another mirror (--mirror URL).`
  return new ToolError('DOWNLOAD_FAILED', message, { file: file.path })
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0)
}
