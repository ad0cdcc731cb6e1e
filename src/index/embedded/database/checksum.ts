import { createHash } from 'node:crypto'

/** Bytes of a row's checksum: the first of a sha256. */
const CHECKSUM_BYTES = 8

export interface DocumentRow {
  /** Label of the document's first passage, which names the document too. */
  document: number
  id: string
  title: string | null
  text: string
  /** JSON. */
  metadata: string
  /** How many passages it has. */
  passages: number
}

export interface PassageRow {
  label: number
  document: number
  /** Place among the document's passages, from 0. */
  ordinal: number
  /** In UTF-16 code units of the text, half open. */
  start: number
  end: number
  /** float32, little-endian. */
  vector: Uint8Array
}

/** What `documents.checksum` must be: damage of any column shows. */
export function documentChecksum({ document, id, title, text, metadata, passages }: DocumentRow): Buffer {
  // JSON keeps the columns apart: no two rows give the same text.
  return digest(JSON.stringify([document, id, title, text, metadata, passages]))
}

/** What `passages.checksum` must be: damage of any column shows. */
export function passageChecksum({ label, document, ordinal, start, end, vector }: PassageRow): Buffer {
  return digest(Buffer.from(Float64Array.of(label, document, ordinal, start, end).buffer), vector)
}

function digest(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest().subarray(0, CHECKSUM_BYTES)
}
