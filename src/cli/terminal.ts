/** Where a command writes. Tests put in their own. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface Terminal {
  /** Results. */
  readonly stdout: Output
  /** Progress and faults. */
  readonly stderr: Output
}

export function say(output: Output, line: string): void {
  output.write(`${line}\n`)
}

/** Replaces the last line of a terminal; the text is cut to its width. */
export function redraw(output: Output, text: string): void {
  // A pseudo-terminal may say that it has no columns.
  output.write(`\r\x1b[K${text.slice(0, (output.columns || 80) - 1)}`)
}
