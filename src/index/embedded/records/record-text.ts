import { createHash } from 'node:crypto'
import { ServiceError } from '../../../errors.ts'
import type { Json } from '../../json.ts'

const FORMAT = 1

/** Where a record is, below the data folder. */
export interface RecordPlace {
  kind: string
  name: string
}

/** A record's file: its value, with a checksum over value and place, so that a copy under another name is found out. */
export function recordText(place: RecordPlace, value: Json): string {
  const content = { format: FORMAT, value }
  return `${JSON.stringify({ ...content, sha256: digest(place, content) })}\n`
}

/** @throws ServiceError STORE_UNUSABLE, which names the file */
export function parseRecord(place: RecordPlace, text: string): Json {
  let parsed: { sha256?: unknown; format?: unknown; value?: Json } | null = null
  try {
    parsed = JSON.parse(text)
  } catch {
    // Said below.
  }
  const { sha256, ...content } = parsed ?? {}
  if (sha256 === undefined || sha256 !== digest(place, content)) {
    const file = `records/${place.kind}/${place.name}.json`
    const message = `${file} in the data folder is damaged. Restore a backup, or delete this file while the service is stopped.`
    throw new ServiceError('STORE_UNUSABLE', message, { record: file })
  }
  if (content.format !== FORMAT || content.value === undefined) {
    const message = `records/${place.kind}/${place.name}.json is of format ${content.format}; this program reads format ${FORMAT}. Use the program that wrote it.`
    throw new ServiceError('STORE_UNUSABLE', message)
  }
  return content.value
}

function digest({ kind, name }: RecordPlace, content: object): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, name, content]))
    .digest('hex')
}
