import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Random } from '../../index/random.ts'
import { type DiskEvent, diskEvents } from './disk-log.ts'

const SECTOR_BYTES = 512

type Change = { offset: number; data: Uint8Array } | { length: number }

/** What a file holds; grows in place. */
class Content {
  #bytes: Buffer
  #length: number

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = Buffer.from(bytes)
    this.#length = bytes.length
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  apply(change: Change): void {
    if ('length' in change) {
      this.#resize(change.length)
      return
    }
    const end = change.offset + change.data.length
    if (end > this.#length) this.#resize(end)
    this.#bytes.set(change.data, change.offset)
  }

  #resize(length: number): void {
    if (length > this.#bytes.length) {
      const longer = Buffer.alloc(2 * length)
      longer.set(this.bytes)
      this.#bytes = longer
    } else if (length > this.#length) this.#bytes.fill(0, this.#length, length)
    this.#length = length
  }
}

interface File {
  /** On the disk for certain. */
  durable: Content
  /** Asked for since the last time the disk was waited for, in order: any of it may be there. */
  pending: Change[]
}

type NameChange = { folder: string; apply(names: Map<string, bigint>): void }

/**
 * A disk as it may look after the power went at `position` of the log. What was waited for is there. Of what was
 * written to a file since, an arbitrary part is: some writes, in any order, some of them torn at a sector. Names
 * (files created, renamed, removed) are there once their folder was waited for; of later ones, the first few.
 *
 * @param root the folder that was recorded
 * @param target an empty folder, filled with the result
 */
export function cutPower(log: Buffer, position: number, root: string, target: string, random: Random): void {
  const files = new Map<bigint, File>()
  const names = new Map<string, bigint>()
  // What the names are as the service sees them, to know which file a rename moves.
  const seen = new Map<string, bigint>()
  let pendingNames: NameChange[] = []
  const fileOf = (inode: bigint): File => {
    const known = files.get(inode)
    if (known) return known
    const file: File = { durable: new Content(), pending: [] }
    files.set(inode, file)
    return file
  }
  const settle = (folder: string) => {
    for (const change of pendingNames) if (change.folder === folder) change.apply(names)
    pendingNames = pendingNames.filter((change) => change.folder !== folder)
  }
  const apply = (event: DiskEvent) => {
    switch (event.type) {
      case 'created': {
        const { path, inode } = event
        files.set(inode, { durable: new Content(), pending: [] })
        seen.set(path, inode)
        pendingNames.push({ folder: dirname(path), apply: (known) => known.set(path, inode) })
        return
      }
      case 'written':
        fileOf(event.inode).pending.push(event)
        return
      case 'truncated':
        fileOf(event.inode).pending.push(event)
        return
      case 'synced': {
        settle(event.path)
        const file = fileOf(event.inode)
        for (const change of file.pending) file.durable.apply(change)
        file.pending = []
        return
      }
      case 'renamed': {
        const { from, to } = event
        const inode = seen.get(from)
        if (inode === undefined) return
        seen.delete(from)
        seen.set(to, inode)
        pendingNames.push({
          folder: dirname(to),
          apply(known) {
            known.delete(from)
            known.set(to, inode)
          },
        })
        return
      }
      case 'removed': {
        const { path } = event
        seen.delete(path)
        pendingNames.push({ folder: dirname(path), apply: (known) => known.delete(path) })
      }
    }
  }
  for (const { at, event } of diskEvents(log)) {
    if (at >= position) break
    apply(event)
  }
  // A journalling file system keeps the order of names, and loses the last ones.
  for (const change of pendingNames.slice(0, random.below(pendingNames.length + 1))) change.apply(names)
  for (const [path, inode] of names) {
    const place = join(target, relative(root, path))
    mkdirSync(dirname(place), { recursive: true })
    const { durable, pending } = fileOf(inode)
    const content = new Content(durable.bytes)
    for (const change of survivors(pending, random)) content.apply(change)
    writeFileSync(place, content.bytes)
  }
}

/** Either the first few changes, or any; single writes may be torn. */
function survivors(pending: Change[], random: Random): Change[] {
  const inOrder = random.next() < 0.5
  const kept = inOrder
    ? pending.slice(0, random.below(pending.length + 1))
    : pending.filter(() => random.next() < 0.5)
  return kept.map((change) => {
    if ('length' in change || random.next() < 0.8) return change
    const sectors = Math.floor(change.data.length / SECTOR_BYTES)
    return { offset: change.offset, data: change.data.subarray(0, random.below(sectors + 1) * SECTOR_BYTES) }
  })
}
