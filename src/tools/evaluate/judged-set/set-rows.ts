import { textLines, unreadable } from '../../text-lines.ts'

/** One line of corpus.jsonl or queries.jsonl. */
interface SetRow {
  line: number
  /** `file:line`, for messages. */
  place: string
  id: string
  /** Without blanks around it; empty where there is none. */
  title: string
  /** Empty where there is none. */
  text: string
  /** Whether the line has a title or a text at all, be it an empty one. */
  stated: boolean
}

/**
 * The rows of a JSON lines file in BEIR's layout, ids exactly as they are written.
 * @throws ToolError INPUT_UNUSABLE with file and line
 */
export async function* setRows(file: string): AsyncGenerator<SetRow> {
  for await (const { number: line, text: json } of textLines(file)) {
    const place = `${file}:${line}`
    const row = parsed(json, place)
    yield {
      line,
      place,
      id: idOf(row._id, place),
      title: textOf(row, 'title', place).trim(),
      text: textOf(row, 'text', place),
      stated: row.title !== undefined || row.text !== undefined,
    }
  }
}

interface RawRow {
  _id?: unknown
  title?: unknown
  text?: unknown
}

function parsed(json: string, place: string): RawRow {
  let row: unknown
  try {
    row = JSON.parse(json)
  } catch {
    throw unreadable(place, 'not JSON')
  }
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row
  throw unreadable(place, 'not a JSON object')
}

function idOf(id: unknown, place: string): string {
  if (typeof id === 'string' && id !== '') return id
  if (typeof id !== 'number') throw unreadable(place, 'lacks _id, a string that is not empty')
  // A number of more digits has been rounded already, and would name another document.
  if (Number.isSafeInteger(id)) return String(id)
  throw unreadable(place, '_id is a number that cannot be kept exactly; write it as a string')
}

function textOf(row: RawRow, key: 'title' | 'text', place: string): string {
  const value = row[key] ?? ''
  if (typeof value === 'string') return value
  throw unreadable(place, `${key} is not a string`)
}
