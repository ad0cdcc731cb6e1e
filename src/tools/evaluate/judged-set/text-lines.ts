import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { ServiceError } from '../../../errors.ts'

export interface TextLine {
  /** Counted from 1. */
  number: number
  text: string
}

/**
 * The lines of a text file that are not blank, read as they are asked for.
 * @throws ServiceError INVALID_INPUT where the file cannot be read
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
    if (error instanceof ServiceError) throw error
    throw unreadable(file, (error as Error).message)
  } finally {
    stream.destroy()
  }
}

/** A fault of a judged set. @param place a path, or `path:line` */
export function unreadable(place: string, why: string): ServiceError {
  return new ServiceError('INVALID_INPUT', `Cannot read the judged set: ${place}: ${why}.`)
}
