import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import { diskFault } from '../../disk.ts'
import { isProcessAlive } from '../../process-alive.ts'
import { RESUMED } from './pull-record.ts'

const LOCK = '.pull.lock'

interface Holder {
  pid: number
  host: string
}

/**
 * Keeps a second pull out of a folder. The lock names its process; that of a process which is gone is taken over.
 * @returns the release
 * @throws ToolError LOCKED while another pull works in the folder
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK)
  if (!(await created(path))) {
    const holder = await readHolder(path)
    if (!holder || isAlive(holder, path)) throw busy(folder, path, holder)
    await takeAway(folder, path)
    if (!(await created(path))) throw busy(folder, path, await readHolder(path))
  }
  held.add(path)
  return async () => {
    held.delete(path)
    await rm(path, { force: true })
  }
}

/** Locks of this process: one of its own number in another file is left over from before it started. */
const held = new Set<string>()

async function created(path: string): Promise<boolean> {
  const holder: Holder = { pid: process.pid, host: hostname() }
  try {
    await writeFile(path, JSON.stringify(holder), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw diskFault(error, { place: path, advice: RESUMED })
  }
}

/** Removes a dead lock; one that another process put there in the meantime is put back. */
async function takeAway(folder: string, path: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  await rename(path, aside).catch(() => undefined)
  const holder = await readHolder(aside)
  if (holder && isAlive(holder, path)) {
    await rename(aside, path)
    throw busy(folder, path, holder)
  }
  await rm(aside, { force: true })
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const { pid, host } = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder>
    if (Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string') return { pid: pid!, host }
  } catch {
    // Gone in the meantime, or being written.
  }
  return undefined
}

function isAlive({ pid, host }: Holder, path: string): boolean {
  if (host !== hostname()) return true
  return pid === process.pid ? held.has(path) : isProcessAlive(pid)
}

function busy(folder: string, path: string, holder: Holder | undefined): ToolError {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
  const message = `Another pull (${who}) is working in ${folder}. Wait until it is done; if there is none, delete ${path}.`
  return new ToolError('LOCKED', message)
}
