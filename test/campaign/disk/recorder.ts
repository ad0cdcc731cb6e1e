import { execFileSync } from 'node:child_process'
import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./recorder.c', import.meta.url))
let library: string | undefined

/** The compiled recorder. @throws Error where it cannot be: it needs Linux with glibc, and a C compiler */
function compiled(): string {
  if (library === undefined) {
    const out = join(tmpdir(), `llara-recorder-${process.pid}.so`)
    execFileSync(process.env['CC'] ?? 'cc', [
      '-O2',
      '-shared',
      '-fPIC',
      '-o',
      out,
      SOURCE,
      '-ldl',
      '-lpthread',
    ])
    library = out
  }
  return library
}

/** In the order of recorder.c. */
const FAULTS = { write: 1, sync: 2, read: 3, 'short-write': 4 } as const

export interface DiskFault {
  /** What fails: writing, waiting for the disk, reading; or a write is done by half. */
  what: keyof typeof FAULTS
  error: 'EIO' | 'ENOSPC'
  /** Operations of that kind that still succeed. */
  after: number
  /** Until cleared; else once. */
  stays: boolean
}

/** A service's view of its disk, written down and made to fail. One for each process. */
export class Recorder {
  /** For the process to be watched. */
  readonly environment: Record<string, string>
  readonly log: string
  readonly #fault: string

  /** @param root the folder to watch @param scratch where log and switches go, not below `root` */
  constructor(root: string, scratch: string) {
    this.log = join(scratch, 'disk.log')
    this.#fault = join(scratch, 'disk.fault')
    writeFileSync(this.log, '')
    writeFileSync(this.#fault, Buffer.alloc(16))
    this.environment = {
      LD_PRELOAD: compiled(),
      CAMPAIGN_ROOT: root,
      CAMPAIGN_LOG: this.log,
      CAMPAIGN_FAULT: this.#fault,
    }
  }

  /** How much has happened: a position in the log. */
  position(): number {
    return statSync(this.log).size
  }

  arm({ what, error, after, stays }: DiskFault): void {
    const page = Buffer.alloc(16)
    page.writeUInt32LE(FAULTS[what], 0)
    page.writeInt32LE(after, 4)
    page.writeUInt32LE(constants.errno[error], 8)
    page.writeUInt32LE(stays ? 1 : 0, 12)
    this.#write(page)
  }

  clear(): void {
    this.#write(Buffer.alloc(16))
  }

  #write(page: Buffer): void {
    const file = openSync(this.#fault, 'r+')
    writeSync(file, page, 0, 16, 0)
    closeSync(file)
  }
}
