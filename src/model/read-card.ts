import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Errors } from 'typebox/value'
import { ServiceError } from '../errors.ts'
import { type Card, MODEL_FILES } from './card.ts'
import { CardSchema } from './card-schema.ts'

/** Files up to this many bytes are hashed at start; a larger one is checked by its size alone. */
const HASHED_BYTES_MAX = 64 * 1024 * 1024

/**
 * Reads a model folder's card and checks that it agrees with itself and with the files beside it.
 *
 * @throws ServiceError MODEL_UNUSABLE with what is wrong and what to do
 */
export function readCard(folder: string): Card {
  const path = join(folder, MODEL_FILES.card)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw unusable(
      absent ? `There is no model at ${folder} (no ${MODEL_FILES.card})` : `${path} cannot be read as JSON`,
      'Name a model folder, or make one with: npm run model:export',
      cause,
    )
  }
  const faults = [...Errors(CardSchema, json)].map((error) => `${error.instancePath || '/'} ${error.message}`)
  if (faults.length === 0) faults.push(...inconsistencies(json as Card))
  if (faults.length > 0) {
    throw unusable(`${path} is not a usable card: ${faults.slice(0, 5).join('; ')}`, 'Export the model again')
  }
  for (const [name, { bytes, sha256 }] of Object.entries((json as Card).files)) {
    checkFile(join(folder, name), bytes, sha256)
  }
  return json as Card
}

/** What the schema cannot say. */
function inconsistencies(card: Card): string[] {
  const faults: string[] = []
  const { ebar, ebae } = card.prompts
  for (const [name, prompt] of Object.entries(card.prompts)) {
    if (prompt.suffixIds.length < card.pooling.tokens) {
      faults.push(`${name} pools ${card.pooling.tokens} tokens of a suffix of ${prompt.suffixIds.length}`)
    }
    const unknown = [...prompt.prefixIds, ...prompt.suffixIds].find(
      (id) => id >= card.architecture.vocabularySize,
    )
    if (unknown !== undefined) faults.push(`${name} has token ${unknown}, which the vocabulary has not`)
  }
  if (ebar.prefixIds.join() !== ebae.prefixIds.join()) {
    faults.push('the two prompts have different prefixes, which one joint pass cannot serve')
  }
  if (card.padId >= card.architecture.vocabularySize) faults.push('padId is not in the vocabulary')
  for (const name of [MODEL_FILES.graph, MODEL_FILES.tokenizer]) {
    if (!card.files[name]) faults.push(`files does not list ${name}`)
  }
  for (const name of Object.keys(card.files)) {
    if (/[/\\]/.test(name)) faults.push(`file name ${name} leads out of the folder`)
  }
  return faults
}

function checkFile(path: string, bytes: number, sha256: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  const remedy = 'Copy or export the model again, whole'
  if (size === undefined) throw unusable(`${path} is missing`, remedy)
  if (size !== bytes) throw unusable(`${path} has ${size} bytes, its card says ${bytes}`, remedy)
  if (bytes > HASHED_BYTES_MAX) return
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
  if (digest !== sha256) throw unusable(`${path} is not the file its card describes (sha256 differs)`, remedy)
}

function unusable(fault: string, remedy: string, cause?: unknown): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `${fault}. ${remedy}.`, {}, cause)
}
