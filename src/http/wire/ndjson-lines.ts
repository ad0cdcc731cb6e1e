/** One line of the body, without its end. `bytes` is undefined where the line was longer than allowed. */
export interface Line {
  /** From 1, blank lines included. */
  number: number
  bytes: Uint8Array | undefined
}

const NEWLINE = 0x0a
const RETURN = 0x0d
const BOM = [0xef, 0xbb, 0xbf]

/**
 * Lines of a byte stream, however it is cut into chunks, in memory bounded by `lineBytesMax` and one chunk. Ends
 * are LF or CRLF; blank lines and byte order marks before lines (files put together have several) are skipped; the
 * last line needs no end. Nothing is read ahead: the source waits while the consumer works.
 */
export async function* ndjsonLines(
  source: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Line> {
  let number = 1
  /** The line's bytes from earlier chunks. */
  let parts: Uint8Array[] = []
  let held = 0
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = finish(parts, chunk.subarray(start, end), held + end - start, number, lineBytesMax)
      if (line) yield line
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
  const line = finish(parts, new Uint8Array(0), held, number, lineBytesMax)
  if (line) yield line
}

function finish(
  parts: Uint8Array[],
  tail: Uint8Array,
  length: number,
  number: number,
  lineBytesMax: number,
): Line | undefined {
  if (length > lineBytesMax + 4) return { number, bytes: undefined }
  let bytes: Uint8Array = parts.length === 0 ? tail : Buffer.concat([...parts, tail])
  if (BOM.every((byte, i) => bytes[i] === byte)) bytes = bytes.subarray(BOM.length)
  if (bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1)
  if (bytes.length > lineBytesMax) return { number, bytes: undefined }
  return isBlank(bytes) ? undefined : { number, bytes }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === RETURN)
}
