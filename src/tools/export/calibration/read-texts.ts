import { readFileSync } from 'node:fs'
import { ToolError } from '../../../cli/tool-error.ts'

/** Enough to see what activations do; more only takes longer. */
const TEXTS_MAX = 2000
/** Every fourth text is held out, so fewer would leave nothing to measure on. */
const TEXTS_MIN = 8

/**
 * Texts to calibrate or measure on, from a file: one a line, or JSON lines with a `text` field.
 * @throws ToolError INPUT_UNUSABLE naming the line
 */
export function readTexts(path: string): string[] {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ToolError('INPUT_UNUSABLE', `The text file ${path} cannot be read.`, {}, cause)
  }
  const lines = content.split('\n').map((line) => line.trim())
  const parse = path.endsWith('.jsonl') ? textOf : (line: string) => line
  const texts: string[] = []
  for (const [index, line] of lines.entries()) {
    if (texts.length === TEXTS_MAX) break
    if (line !== '') texts.push(parse(line, index + 1))
  }
  if (texts.length < TEXTS_MIN) {
    throw new ToolError(
      'INPUT_UNUSABLE',
      `${path} has ${texts.length} texts; at least ${TEXTS_MIN} are needed to calibrate and to measure.`,
    )
  }
  return texts
}

function textOf(line: string, number: number): string {
  try {
    const { text } = JSON.parse(line) as { text?: unknown }
    if (typeof text === 'string') return text
  } catch (cause) {
    throw new ToolError('INPUT_UNUSABLE', `Line ${number} of the text file is not JSON.`, {}, cause)
  }
  throw new ToolError('INPUT_UNUSABLE', `Line ${number} of the text file has no "text" string.`)
}
