import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { ServiceError } from '../../../errors.ts'

const NAME_CHARS_MAX = 1024
const CONTROL = /\p{Cc}/u
const KIND = /\.(ndjson|jsonl)(\.gz)?$/i

/** What tells whether a file is still the one that was begun. */
export interface FileVersion {
  bytes: number
  /** Of its last change, in nanoseconds since 1970. */
  changed: string
}

/** A file of the import folder, open. */
export interface ImportFile {
  handle: FileHandle
  version: FileVersion
  gzip: boolean
}

/**
 * The name of a file below the import folder, as it was given.
 * @throws ServiceError INVALID_INPUT
 */
export function checkImportName(name: string): void {
  const refuse = (what: string): never => {
    throw new ServiceError('INVALID_INPUT', `file ${what}.`, { field: 'file' })
  }
  if (name.length > NAME_CHARS_MAX) refuse(`has more than ${NAME_CHARS_MAX} characters`)
  if (CONTROL.test(name) || name.includes('\\')) refuse('must have no control characters and no backslash')
  const parts = name.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    refuse('must be a path below the import folder, without . and .. and not from the root')
  }
  if (!KIND.test(name)) refuse('must end with .ndjson or .jsonl, or with one of them and .gz')
}

/**
 * Opens a file below the import folder. Links are followed as long as they stay inside.
 *
 * @param folder the setting IMPORT_DIR
 * @throws ServiceError INVALID_INPUT (no such folder is set, a name that leads elsewhere, no regular file), NOT_FOUND
 */
export async function openImport(folder: string, name: string): Promise<ImportFile> {
  if (folder === '') {
    const message = 'This service imports no files: it has no import folder (IMPORT_DIR).'
    throw new ServiceError('INVALID_INPUT', message, { field: 'kind' })
  }
  checkImportName(name)
  const path = await inside(folder, name)
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch(unreadable)
  try {
    const opened = await handle.stat({ bigint: true })
    if (!opened.isFile()) {
      throw new ServiceError('INVALID_INPUT', 'file is no regular file.', { field: 'file' })
    }
    // A folder on the way may have become a link since it was looked at.
    const there = await stat(await inside(folder, name), { bigint: true }).catch(unreadable)
    if (there.dev !== opened.dev || there.ino !== opened.ino) throw outside()
    return { handle, version: versionOf(opened), gzip: /\.gz$/i.test(name) }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** @throws ServiceError INVALID_INPUT where the file has changed since */
export async function checkUnchanged(handle: FileHandle, before: FileVersion): Promise<void> {
  const { bytes, changed } = versionOf(await handle.stat({ bigint: true }))
  if (bytes === before.bytes && changed === before.changed) return
  const message =
    'The file has changed since the import began: its size or time of change is another. What the job stored stays; import the new file by a new job.'
  throw new ServiceError('INVALID_INPUT', message, { field: 'file' })
}

function versionOf({ size, mtimeNs }: BigIntStats): FileVersion {
  return { bytes: Number(size), changed: String(mtimeNs) }
}

/** The file's own path, without links. */
async function inside(folder: string, name: string): Promise<string> {
  const root = await realpath(folder).catch((cause: NodeJS.ErrnoException) => {
    const message = `The import folder (IMPORT_DIR) cannot be read (${cause.code}).`
    throw new ServiceError('INVALID_INPUT', message, { field: 'file' }, cause)
  })
  const path = await realpath(join(root, name)).catch(unreadable)
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) throw outside()
  return path
}

function outside(): ServiceError {
  return new ServiceError('INVALID_INPUT', 'file leads out of the import folder.', { field: 'file' })
}

function unreadable(cause: NodeJS.ErrnoException): never {
  if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') {
    throw new ServiceError(
      'NOT_FOUND',
      'There is no such file in the import folder.',
      { field: 'file' },
      cause,
    )
  }
  const message = `file cannot be read (${cause.code ?? 'unknown reason'}).`
  throw new ServiceError('INVALID_INPUT', message, { field: 'file' }, cause)
}
