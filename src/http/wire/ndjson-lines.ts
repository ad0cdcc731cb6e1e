/** Where a line begins. */
export interface LinePlace {
  /** From 1, blank lines included. */
  line: number
  /** Bytes from the begin of the whole. */
  offset: number
}

/** One line, without its end. `bytes` is undefined where the line was longer than allowed. */
export interface Line {
  /** From 1, blank lines included. */
  number: number
  /** Where the next line begins: bytes from the begin of the whole. */
  end: number
  bytes: Uint8Array | undefined
}

const NEWLINE = 0x0a
const RETURN = 0x0d
const BOM = [0xef, 0xbb, 0xbf]
const BLANK = Symbol('blank')

/**
 * Lines of a byte stream, however it is cut into chunks, in memory bounded by `lineBytesMax` and one chunk. Ends
 * are LF or CRLF; blank lines and byte order marks before lines (files put together have several) are skipped; the
 * last line needs no end. Nothing is read ahead: the source waits while the consumer works.
 * @param from where the source begins, of a whole whose first lines it does not have
 */
export async function* ndjsonLines(
  source: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
  from: LinePlace = { line: 1, offset: 0 },
): AsyncGenerator<Line> {
  let { line: number, offset } = from
  /** The line's bytes from earlier chunks. */
  let parts: Uint8Array[] = []
  let held = 0
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const length = held + end - start
      offset += length + 1
      const bytes = finish(parts, chunk.subarray(start, end), length, lineBytesMax)
      if (bytes !== BLANK) yield { number, end: offset, bytes }
      number++
      parts = []
      held = 0
      start = end + 1
    }
    const rest = chunk.subarray(start)
    held += rest.length
    // A line already too long is counted on but no longer kept. CR and BOM may come on top of the limit.
    if (held <= lineBytesMax + 4) parts.push(rest)
    else parts = []
  }
  const bytes = finish(parts, new Uint8Array(0), held, lineBytesMax)
  if (bytes !== BLANK) yield { number, end: offset + held, bytes }
}

function finish(
  parts: Uint8Array[],
  tail: Uint8Array,
  length: number,
  lineBytesMax: number,
): Uint8Array | undefined | typeof BLANK {
  if (length > lineBytesMax + 4) return undefined
  let bytes: Uint8Array = parts.length === 0 ? tail : Buffer.concat([...parts, tail])
  if (BOM.every((byte, i) => bytes[i] === byte)) bytes = bytes.subarray(BOM.length)
  if (bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1)
  if (bytes.length > lineBytesMax) return undefined
  return isBlank(bytes) ? BLANK : bytes
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === RETURN)
}
