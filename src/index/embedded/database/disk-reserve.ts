import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'reserve'
const CHUNK_BYTES = 1024 * 1024
/** How often a reserve that could not be made is tried again. */
const RETRY_MS = 1000

/**
 * Room on the disk of a data folder, held by a file that means nothing. On a full disk nothing can be deleted either,
 * because a deletion is written to the log first: then the file goes, the deletion has room, and the file is made again.
 */
export class DiskReserve {
  readonly #file: string
  readonly #bytes: number
  #held = false
  #triedAt = Number.NEGATIVE_INFINITY

  /** @param bytes 0: none */
  constructor(dataDir: string, bytes: number) {
    this.#file = join(dataDir, FILE)
    this.#bytes = bytes
  }

  /** Makes the file where it is missing. @returns whether the room is held */
  hold(): boolean {
    if (this.#held) return true
    if (this.#bytes > 0 && statSync(this.#file, { throwIfNoEntry: false })?.size !== this.#bytes) {
      if (performance.now() < this.#triedAt + RETRY_MS) return false
      this.#triedAt = performance.now()
      if (!this.#make()) return false
    }
    this.#held = true
    return true
  }

  /** Gives the room to whoever writes next. */
  release(): void {
    this.#held = false
    this.#triedAt = Number.NEGATIVE_INFINITY
    rmSync(this.#file, { force: true })
  }

  #make(): boolean {
    // Noise: a file system that compresses would hold no room with zeros.
    const chunk = randomFillSync(Buffer.alloc(Math.min(CHUNK_BYTES, this.#bytes)))
    try {
      const fd = openSync(this.#file, 'w', 0o600)
      try {
        for (let left = this.#bytes; left > 0; ) left -= writeSync(fd, chunk, 0, Math.min(chunk.length, left))
      } finally {
        closeSync(fd)
      }
      return true
    } catch {
      rmSync(this.#file, { force: true })
      return false
    }
  }
}
