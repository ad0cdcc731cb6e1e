import type { Encoder } from '../encoder/encoder.ts'
import { ServiceError } from '../errors.ts'
import type { CollectionSettings } from '../index/collection-settings.ts'
import type { CollectionIdentity, StoredCollection } from '../index/index-engine.ts'

/** Stands in the place of a model's fingerprint where the caller brings the vectors. No model has it: those are in hex. */
const OWN = 'own-vectors'

export interface NewCollection {
  /** Of vectors that the caller brings; without it they are the model's. */
  dimensions?: number
  settings: Partial<CollectionSettings>
}

/** Whose vectors a collection has: of the model that runs, of another one, or the caller's own. */
export type VectorSpace = 'model' | 'other_model' | 'own'

function ownVectors(dimensions: number): CollectionIdentity {
  return { dimensions, fingerprint: OWN }
}

/**
 * What a collection is to be: with the model's vectors, or with one for each document that the caller brings.
 * @throws ServiceError INVALID_INPUT where it has own vectors and passages are asked for
 */
export function whatToCreate(
  { dimensions, settings }: NewCollection,
  encoder: Encoder,
  defaults: CollectionSettings,
): StoredCollection {
  if (dimensions === undefined) {
    return { identity: modelVectors(encoder), settings: { ...defaults, ...settings } }
  }
  const { chunking = { kind: 'whole' } } = settings
  if (chunking.kind === 'whole') {
    return { identity: ownVectors(dimensions), settings: { ...defaults, ...settings, chunking } }
  }
  const message = 'chunking: a document with a vector of your own is found by that one; leave passages out.'
  throw new ServiceError('INVALID_INPUT', message, { field: 'chunking' })
}

export function modelVectors({ card: { dimensions, fingerprint } }: Encoder): CollectionIdentity {
  return { dimensions, fingerprint }
}

export function spaceOf({ dimensions, fingerprint }: CollectionIdentity, { card }: Encoder): VectorSpace {
  if (fingerprint === OWN) return 'own'
  return fingerprint === card.fingerprint && dimensions === card.dimensions ? 'model' : 'other_model'
}

/** What embeds the texts of a collection: the encoder, or one that says why no text can be embedded for it. */
export function encoderFor(space: VectorSpace, encoder: Encoder): Encoder {
  if (space === 'model') return encoder
  const refuse = async () => {
    throw space === 'own' ? noModel() : otherModel()
  }
  return {
    card: encoder.card,
    device: encoder.device,
    encode: refuse,
    countTokens: refuse,
    stats: () => encoder.stats(),
    onDeath: (listener) => encoder.onDeath(listener),
    close: () => encoder.close(),
  }
}

function noModel(): ServiceError {
  return new ServiceError(
    'INVALID_INPUT',
    'This collection has vectors of your own, so texts cannot be embedded for it: give each document a vector, and search by vector, by like, or with mode lexical.',
    { field: 'vector' },
  )
}

function otherModel(): ServiceError {
  return new ServiceError(
    'OTHER_MODEL',
    'This collection was made with another model than the one that runs, so texts cannot be compared with it. Copy it into a new collection (POST /collections/{collection}/copy), or run the service with its model.',
  )
}
