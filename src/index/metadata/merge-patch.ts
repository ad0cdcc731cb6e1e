import { ServiceError } from '../../errors.ts'
import type { Json, Metadata } from '../json.ts'

/** What is to become of the metadata of some documents. */
export interface MetadataPatch {
  /** A JSON merge patch (RFC 7396); null takes all metadata away. */
  merge: Metadata | null
  /** How large the metadata may become: bytes of its JSON in UTF-8, and values in it. */
  bytesMax: number
  valuesMax: number
}

export interface PatchResult {
  /** Documents that were patched, those included in which nothing changed. */
  patched: number
  /** What the metadata is now, where the patch was for one id. */
  metadata?: Metadata
}

/**
 * Metadata with a patch merged into it.
 * @throws ServiceError TOO_LARGE where that is more than may be stored
 */
export function patched(
  metadata: Metadata,
  { merge, bytesMax, valuesMax }: MetadataPatch,
  id: string,
): Metadata {
  const after = merge === null ? {} : mergedObject(metadata, merge)
  const tooLarge = (fault: string, limit: number) => {
    const message = `The metadata of a document would ${fault}; nothing has been changed.`
    return new ServiceError('TOO_LARGE', message, { field: 'metadata', id, limit })
  }
  if (Buffer.byteLength(JSON.stringify(after)) > bytesMax) {
    throw tooLarge(`be longer than ${bytesMax} bytes (METADATA_BYTES_MAX)`, bytesMax)
  }
  if (valuesIn(after) > valuesMax) throw tooLarge(`hold more than ${valuesMax} values`, valuesMax)
  return after
}

/** RFC 7396, section 2. Fields keep their order, new ones come last. */
function mergedObject(target: Metadata, patch: Metadata): Metadata {
  const fields = new Map(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    const old = fields.get(name)
    if (value === null) fields.delete(name)
    else if (isObject(value)) fields.set(name, mergedObject(isObject(old) ? old : {}, value))
    else fields.set(name, value)
  }
  return Object.fromEntries(fields)
}

/** Everything below the root: scalars, objects and lists. */
function valuesIn(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  const inside = Object.values(value)
  return inside.reduce<number>((sum, item) => sum + valuesIn(item), inside.length)
}

function isObject(value: Json | undefined): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
