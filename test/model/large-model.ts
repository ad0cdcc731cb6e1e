import { createHash } from 'node:crypto'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tinyModel } from '../fixtures/tiny-model.ts'

/** Beyond what is hashed whenever a card is read. */
const BYTES = 65 * 1024 * 1024
const NAME = 'model.onnx.data'

/** A model folder of one's own with a large file of zeros among those of its card. */
export async function largeModel(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'llara-large-'))
  cpSync(await tinyModel(), folder, { recursive: true })
  writeFileSync(join(folder, NAME), '')
  truncateSync(join(folder, NAME), BYTES)
  const card = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
  const sha256 = createHash('sha256').update(new Uint8Array(BYTES)).digest('hex')
  card.files[NAME] = { bytes: BYTES, sha256 }
  writeFileSync(join(folder, 'model.json'), JSON.stringify(card))
  return folder
}

/** One byte in the middle becomes another. */
export function damage(folder: string, name = NAME): void {
  const file = openSync(join(folder, name), 'r+')
  writeSync(file, Uint8Array.of(1), 0, 1, BYTES >> 1)
  closeSync(file)
}
