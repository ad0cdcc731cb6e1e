import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../errors.ts'
import { type Card, type CardKind, MODEL_FILES } from './card.ts'

/** Files of a card, with their sizes and checksums. */
export type CardFiles = Card<CardKind>['files']

/** Files up to this many bytes are hashed whenever a card is read; larger ones take a thread of their own. */
const HASHED_BYTES_MAX = 64 * 1024 * 1024
const READ_BYTES = 1024 * 1024

/**
 * Checks that a folder holds the files of its card: the sizes of all, and the content of those that are not large.
 *
 * @throws ServiceError MODEL_UNUSABLE for a file that is missing, not the one that the card describes, or not in the card
 */
export function checkFiles(folder: string, files: CardFiles): void {
  const unlisted = unlistedWeights(folder, files)
  if (unlisted) throw damagedModel(unlisted)
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const path = join(folder, name)
    const fault = sizeFault(path, name, bytes)
    if (fault) throw damagedModel(fault)
    if (bytes > HASHED_BYTES_MAX) continue
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
    if (digest !== sha256) throw damagedModel(otherContent(name))
  }
}

/** The files that `checkFiles` knows by their sizes alone. */
export function largeFiles(files: CardFiles): CardFiles {
  return Object.fromEntries(Object.entries(files).filter(([, { bytes }]) => bytes > HASHED_BYTES_MAX))
}

/**
 * Reads files through and compares size and sha256, in constant memory. Hashing takes this thread's time.
 *
 * @param onBytes called with how many bytes were read since the last call
 * @returns what is wrong, a sentence part a file; empty where all are as the card says
 */
export async function damagedFiles(
  folder: string,
  files: CardFiles,
  { signal, onBytes }: { signal?: AbortSignal; onBytes?: (bytes: number) => void } = {},
): Promise<string[]> {
  const faults: string[] = []
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const path = join(folder, name)
    const fault = sizeFault(path, name, bytes)
    if (fault) faults.push(fault)
    else if ((await digestOf(path, name, { signal, onBytes })) !== sha256) faults.push(otherContent(name))
  }
  return faults
}

/** What is wrong where a card leaves out the weights: model.onnx alone names them, and nobody would have checked them. */
export function unlistedWeights(folder: string, files: CardFiles): string | undefined {
  const name = MODEL_FILES.weights
  if (files[name] || !existsSync(join(folder, name))) return undefined
  return `${name} lies in the model's folder, but its card does not list it`
}

/** MODEL_UNUSABLE with what to do. */
export function damagedModel(fault: string, cause?: unknown): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `${fault}. Copy or export the whole model again.`, {}, cause)
}

async function digestOf(
  path: string,
  name: string,
  { signal, onBytes }: { signal: AbortSignal | undefined; onBytes: ((bytes: number) => void) | undefined },
): Promise<string> {
  const hash = createHash('sha256')
  try {
    const stream = createReadStream(path, { highWaterMark: READ_BYTES, ...(signal && { signal }) })
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk)
      onBytes?.(chunk.length)
    }
  } catch (cause) {
    signal?.throwIfAborted()
    throw damagedModel(
      `${name} of the model cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      cause,
    )
  }
  return hash.digest('hex')
}

function sizeFault(path: string, name: string, bytes: number): string | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) return `${name} of the model is missing`
  return size === bytes ? undefined : `${name} of the model has ${size} bytes, but its card says ${bytes}`
}

function otherContent(name: string): string {
  return `${name} of the model is not the file that its card describes (sha256 differs)`
}
