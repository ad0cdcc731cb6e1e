import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../errors.ts'
import type { Card, CardKind } from './card.ts'

/** Files up to this many bytes are hashed; a larger one is checked by its size alone. */
const HASHED_BYTES_MAX = 64 * 1024 * 1024

/**
 * Checks that a folder holds the files of its card, unchanged.
 *
 * @throws ServiceError MODEL_UNUSABLE for a file that is missing or not the one that the card describes
 */
export function checkFiles(folder: string, files: Card<CardKind>['files']): void {
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const path = join(folder, name)
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined) throw unusable(`${path} is missing`)
    if (size !== bytes) throw unusable(`${path} has ${size} bytes, but its card says ${bytes}`)
    if (bytes > HASHED_BYTES_MAX) continue
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
    if (digest !== sha256) throw unusable(`${path} is not the file that its card describes (sha256 differs)`)
  }
}

function unusable(fault: string): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `${fault}. Copy or export the whole model again.`)
}
