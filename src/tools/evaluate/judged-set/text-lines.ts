import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { ToolError } from '../../../cli/tool-error.ts'

interface TextLine {
  /** Counted from 1. */
  number: number
  text: string
}

/**
 * The lines of a text file that are not blank, read as they are asked for.
 * @throws ToolError INPUT_UNUSABLE where the file cannot be read
 */
export async function* textLines(file: string): AsyncGenerator<TextLine> {
  const stream = createReadStream(file, 'utf8')
  let number = 0
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++
      if (text.trim() !== '') yield { number, text: number === 1 ? text.replace(/^\uFEFF/, '') : text }
    }
  } catch (error) {
    if (error instanceof ToolError) throw error
    throw unreadable(file, (error as Error).message)
  } finally {
    stream.destroy()
  }
}

/** A fault of a judged set. @param place a path, or `path:line` */
export function unreadable(place: string, why: string): ToolError {
  return new ToolError('INPUT_UNUSABLE', `Cannot read the judged set: ${place}: ${why}.`)
}
