import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '../../../errors.ts'
import type { Json } from '../../json.ts'
import { RECORDS } from '../database/data-folder.ts'
import type { FolderLock } from '../database/folder-lock.ts'
import { parseRecord, type RecordPlace, recordText } from './record-text.ts'

const PART = /^[a-z0-9][a-z0-9_-]*$/
const KIND_MAX = 64
const NAME_MAX = 128
const END = '.json'
/** Being written; the next start removes what a killed process left of them. */
const UNFINISHED = '.new'

/** The records of a data folder that this process holds: a file each, `records/KIND/NAME.json`. */
export class RecordFiles {
  readonly #dataDir: string
  readonly #lock: FolderLock
  /** The last change; the next begins when it has ended. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(dataDir: string, lock: FolderLock) {
    this.#dataDir = dataDir
    this.#lock = lock
    for (const { kind, file } of filesIn(dataDir)) {
      if (file.endsWith(UNFINISHED)) rmSync(join(dataDir, RECORDS, kind, file), { force: true })
    }
  }

  async names(kind: string): Promise<string[]> {
    check('kind', kind, KIND_MAX)
    const folder = join(this.#dataDir, RECORDS, kind)
    const files = await guarded(() => readdir(folder).catch(whereMissing<string[]>([])))
    return files
      .map(nameOf)
      .filter((name) => name !== undefined)
      .sort()
  }

  async get(place: RecordPlace): Promise<Json | undefined> {
    const file = this.#fileOf(place)
    const text = await guarded(() => readFile(file, 'utf8').catch(whereMissing<undefined>(undefined)))
    return text === undefined ? undefined : parseRecord(place, text)
  }

  put({ value, ...place }: RecordPlace & { value: Json }): Promise<void> {
    const text = recordText(place, value)
    return this.#change(place, async (file) => {
      const folder = await this.#folderOf(place.kind)
      const unfinished = file + UNFINISHED
      try {
        await writeSynced(unfinished, text)
        await rename(unfinished, file)
      } catch (error) {
        await rm(unfinished, { force: true }).catch(() => {})
        throw error
      }
      await sync(folder)
    })
  }

  remove(place: RecordPlace): Promise<void> {
    return this.#change(place, async (file) => {
      if (!existsSync(file)) return
      await rm(file)
      await sync(join(this.#dataDir, RECORDS, place.kind))
    })
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#last
  }

  #fileOf({ kind, name }: RecordPlace): string {
    check('kind', kind, KIND_MAX)
    check('name', name, NAME_MAX)
    return join(this.#dataDir, RECORDS, kind, name + END)
  }

  async #change(place: RecordPlace, work: (file: string) => Promise<void>): Promise<void> {
    const file = this.#fileOf(place)
    const change = this.#last.then(() =>
      guarded(async () => {
        this.#lock.check()
        await work(file)
      }),
    )
    this.#last = change.catch(() => {})
    await change
  }

  /** Made if missing, durably; never the data folder itself, which would hide that it is gone. */
  async #folderOf(kind: string): Promise<string> {
    let folder = this.#dataDir
    for (const part of [RECORDS, kind]) {
      const within = join(folder, part)
      if (!existsSync(within)) {
        await mkdir(within)
        await sync(folder)
      }
      folder = within
    }
    return folder
  }
}

/** Every file below `records/`, and its kind. */
function filesIn(dataDir: string): { kind: string; file: string }[] {
  const folder = join(dataDir, RECORDS)
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: kind }) => readdirSync(join(folder, kind)).map((file) => ({ kind, file })))
}

/** What is wrong with the records of a data folder, each in a sentence. @throws what the file system says */
export function damagedRecords(dataDir: string): string[] {
  return recordsIn(dataDir).flatMap((place) => {
    try {
      parseRecord(place, readFileSync(join(dataDir, RECORDS, place.kind, place.name + END), 'utf8'))
      return []
    } catch (error) {
      if (error instanceof ServiceError) return [error.message]
      throw error
    }
  })
}

/** The records that lie in a data folder, damaged ones too. */
export function recordsIn(dataDir: string): RecordPlace[] {
  return filesIn(dataDir).flatMap(({ kind, file }) => {
    const name = nameOf(file)
    return name === undefined ? [] : [{ kind, name }]
  })
}

function nameOf(file: string): string | undefined {
  const name = file.slice(0, -END.length)
  return file.endsWith(END) && PART.test(name) ? name : undefined
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function check(field: string, part: string, max: number): void {
  if (PART.test(part) && part.length <= max) return
  const message = `${JSON.stringify(part)} cannot be a record's ${field}: use 1 to ${max} of a-z, 0-9, _ and -, not _ or - first.`
  throw new ServiceError('INVALID_INPUT', message, { field })
}

function whereMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value
    throw error
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ServiceError) throw error
    const { code } = error as NodeJS.ErrnoException
    const message = `The folder ${RECORDS} in the data folder cannot be read or written (${code ?? 'unknown reason'}). Make room, or check that it is there and its permissions.`
    throw new ServiceError('STORE_UNUSABLE', message, {}, error)
  }
}
