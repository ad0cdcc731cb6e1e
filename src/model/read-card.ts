import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TObject } from 'typebox'
import { Errors } from 'typebox/value'
import { ServiceError } from '../errors.ts'
import { type Card, type CardKind, MODEL_FILES } from './card.ts'
import { CARD_FORMAT, CARD_SCHEMAS } from './card-schema.ts'
import { checkFiles } from './check-files.ts'
import { inconsistencies } from './inconsistencies.ts'
import { upgradeCard } from './upgrade-card.ts'

/** Faults named in one message. */
const FAULTS_MAX = 5

/**
 * Reads a model folder's card, of this format or an earlier one, and checks that it is of the kind that is needed
 * and agrees with itself and with the files beside it.
 *
 * @throws ServiceError MODEL_UNUSABLE with what is wrong and what to do
 */
export function readCard(folder: string): Card
export function readCard<Kind extends CardKind>(folder: string, kind: Kind): Card<Kind>
export function readCard(folder: string, kind: CardKind = 'encoder'): Card<CardKind> {
  const card = readCardAlone(folder, kind)
  checkFiles(folder, card.files)
  return card
}

/**
 * The card without a look at the files beside it.
 *
 * @param kind that is needed; any without it
 * @throws ServiceError MODEL_UNUSABLE with what is wrong and what to do
 */
export function readCardAlone(folder: string, kind?: CardKind): Card<CardKind> {
  const path = join(folder, MODEL_FILES.card)
  const card = upgradeCard(readJson(folder, path)) as Card<CardKind>
  if (card?.format !== CARD_FORMAT) {
    throw unusable(
      `${path} has format ${JSON.stringify(card?.format)}; this version reads formats 1 to ${CARD_FORMAT}`,
      'Use a newer version, or export the model again',
    )
  }
  const faults = faultsOf(card)
  if (faults.length > 0) {
    throw unusable(
      `${path} is not a usable card: ${faults.slice(0, FAULTS_MAX).join('; ')}`,
      'Export the model again',
    )
  }
  if (kind !== undefined && card.kind !== kind) {
    throw unusable(
      `${folder} holds a model of kind ${card.kind}; kind ${kind} is needed here`,
      'Name another model',
    )
  }
  return card
}

function readJson(folder: string, path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw unusable(
      absent ? `There is no model at ${folder} (no ${MODEL_FILES.card})` : `${path} cannot be read as JSON`,
      'Name a model folder, or make one with: npm run model:export',
      cause,
    )
  }
}

/** By the schema of its own kind, so that a message names the place. */
function faultsOf(card: Card<CardKind>): string[] {
  if (!Object.hasOwn(CARD_SCHEMAS, card.kind)) {
    return [`/kind must be one of ${Object.keys(CARD_SCHEMAS).join(', ')}`]
  }
  const schema: TObject = CARD_SCHEMAS[card.kind]
  const faults = [...Errors(schema, card)].map((error) => `${error.instancePath || '/'} ${error.message}`)
  return faults.length > 0 ? faults : inconsistencies(card)
}

function unusable(fault: string, remedy: string, cause?: unknown): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `${fault}. ${remedy}.`, {}, cause)
}
