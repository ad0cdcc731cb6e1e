import { type Output, say } from '../../src/cli/terminal.ts'

/** The service's answer to one search. */
export interface Found {
  results: { score: number; title: string; text: string }[]
  path: string
  timings_ms: { inference?: number; search?: number }
}

const TITLE_COLUMNS = 36

/** A search and its results as a table within the terminal's width. */
export function printSearch(
  output: Output,
  { query, filter }: { query: string; filter?: object },
  found: Found,
  ms: number,
): void {
  const { inference = 0, search = 0 } = found.timings_ms
  const phases = `model ${inference.toFixed(1)} ms, search ${search.toFixed(1)} ms, ${found.path}`
  const width = Math.min(Math.max(output.columns ?? 110, 80), 160)
  const row = (rank: string, score: string, title: string, text: string) =>
    `  ${rank.padEnd(4)}  ${score.padEnd(5)}  ${cut(title, TITLE_COLUMNS).padEnd(TITLE_COLUMNS)}  ${cut(text, width - 53)}`
  say(output, `\n"${query}"${filter ? `  filter ${JSON.stringify(filter)}` : ''}`)
  say(output, `${ms.toFixed(1)} ms over HTTP (${phases})`)
  say(output, row('rank', 'score', 'title', 'text'))
  for (const [index, { score, title, text }] of found.results.entries()) {
    say(output, row(String(index + 1), score.toFixed(3), title, text))
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text
}
