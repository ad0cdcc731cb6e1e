import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isProcessAlive } from '../../process-alive.ts'

/** A leftover whose process number is in use again counts as left when nothing in it was touched for this long. */
const ABANDONED_MS = 24 * 3600 * 1000

type Purpose = 'partial' | 'old'

/** Where a run keeps what is not the model yet, or no longer: beside the model, hidden, under its process number. */
export function sibling(target: string, purpose: Purpose): string {
  return join(dirname(target), `.${basename(target)}.${purpose}-${process.pid}`)
}

/**
 * Clears what killed runs left beside a model folder. A model that was put aside by a run killed before its
 * replacement took the name goes back to where it was. What a living process is writing stays.
 */
export async function clearLeftovers(target: string): Promise<void> {
  const parent = dirname(target)
  const start = `.${basename(target)}.`
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(start)) continue
    const [, purpose, pid] = /^(partial|old)-(\d+)$/.exec(name.slice(start.length)) ?? []
    const path = join(parent, name)
    if (purpose === undefined || !(await isLeft(path, Number(pid)))) continue
    const takenAside = purpose === 'old' && (await modified(target)) === undefined
    await (takenAside ? rename(path, target) : rm(path, { recursive: true, force: true }))
  }
}

async function isLeft(path: string, pid: number): Promise<boolean> {
  // Our own number: a run before us in another container, since we have not begun.
  if (pid === process.pid || !isProcessAlive(pid)) return true
  const names = await readdir(path).catch(() => [])
  const times = await Promise.all([path, ...names.map((name) => join(path, name))].map(modified))
  return Math.max(...times.map((time) => time ?? 0)) < Date.now() - ABANDONED_MS
}

/** Milliseconds since 1970, or undefined where there is nothing. */
function modified(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
}
