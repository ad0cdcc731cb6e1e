import { createReadStream, existsSync } from 'node:fs'
import { ToolError } from '../cli/tool-error.ts'

/** Longest line that is read. */
const LINE_BYTES_MAX = 64 * 1024 * 1024
const READ_BYTES = 1024 * 1024
const LINE_FEED = 10

export interface TextLine {
  /** Counted from 1, blank lines too. */
  number: number
  text: string
}

/**
 * The lines of a UTF-8 file that are not blank, read as they are asked for. A line ends with \n or \r\n and with nothing
 * else: U+2028 and its kind may stand inside a JSON string. A byte order mark before a line is not part of it.
 * @throws ToolError INPUT_UNUSABLE where the file cannot be read, naming the line that is not UTF-8 or too long
 */
export async function* textLines(file: string): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let number = 0
  const line = (bytes: Uint8Array): TextLine | undefined => {
    number++
    try {
      const text = decoder.decode(bytes).replace(/\r$/, '')
      return text.trim() === '' ? undefined : { number, text }
    } catch {
      throw unreadable(`${file}:${number}`, 'not UTF-8')
    }
  }
  const stream = createReadStream(file, { highWaterMark: READ_BYTES })
  const rest: Buffer[] = []
  let restBytes = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        const read = line(Buffer.concat([...rest.splice(0), chunk.subarray(start, end)]))
        if (read) yield read
        start = end + 1
        restBytes = 0
      }
      rest.push(chunk.subarray(start))
      restBytes += chunk.length - start
      if (restBytes <= LINE_BYTES_MAX) continue
      throw unreadable(`${file}:${number + 1}`, `longer than ${LINE_BYTES_MAX} bytes`)
    }
    const read = line(Buffer.concat(rest))
    if (read) yield read
  } catch (error) {
    if (error instanceof ToolError) throw error
    throw unreadable(file, faultOf(file, error as NodeJS.ErrnoException), error)
  } finally {
    stream.destroy()
  }
}

function faultOf(file: string, { code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ENOENT') return message
  return existsSync(`${file}.gz`) ? 'it is there as .gz only; unpack it' : 'there is no such file'
}

/** A fault of a file that the user named. @param place a path, or `path:line` */
export function unreadable(place: string, why: string, cause?: unknown): ToolError {
  return new ToolError('INPUT_UNUSABLE', `Cannot read ${place}: ${why}.`, {}, cause)
}
