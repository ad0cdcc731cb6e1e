import { TransportFault } from '../problems/problem.ts'

/** Bodies of these are NDJSON: one document a line. */
export const NDJSON_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/jsonlines',
  'application/x-jsonlines',
]

export function isNdjson({ 'content-type': header }: { 'content-type'?: string | undefined }): boolean {
  const type = header?.split(';', 1)[0]?.trim().toLowerCase()
  return type !== undefined && NDJSON_TYPES.includes(type)
}

/** @throws TransportFault UNSUPPORTED_MEDIA_TYPE where a Content-Type names another charset than UTF-8 */
export function checkCharset(header = ''): void {
  for (const [, quoted, bare] of header.matchAll(/;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi)) {
    if (/^utf-?8$/i.test((quoted ?? bare ?? '').trim())) continue
    const message = 'Bodies are read as UTF-8; send the body as UTF-8, and no other charset in Content-Type.'
    throw new TransportFault('UNSUPPORTED_MEDIA_TYPE', message)
  }
}
