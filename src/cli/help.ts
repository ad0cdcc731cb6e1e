import type { Command, Program } from './command.ts'
import { EXIT_CODES } from './exit-code.ts'
import { type Options, optionName } from './option.ts'

const WIDTH = 110
const COLUMN = 24

/**
 * What `llara-serve X --help` prints.
 * @param program its name; absent for a command of the repository's scripts, which npm alone runs
 */
export function commandHelp(command: Command, program?: string): string {
  const line = usage(command)
  const npm = `${command.npm}${line}`
  const forms =
    program === undefined ? [npm] : [`${program} ${command.name}${line}`, `${npm}   (in a checkout)`]
  return [
    `Usage: ${forms.join('\n       ')}`,
    '',
    command.about.trim(),
    '',
    ...optionLines(command.options),
    `${'  --help'.padEnd(COLUMN)}this text`,
    '',
    wrapped(EXIT_CODES, WIDTH).join('\n'),
  ].join('\n')
}

/** What `llara-serve --help` prints. */
export function programHelp({ name, title, version, commands, fallback }: Program): string {
  return [
    `${title} ${version}`,
    '',
    `Usage: ${name} [command] [arguments]`,
    '',
    ...Object.entries(commands).map(([command, { summary }]) => `  ${command.padEnd(12)}${summary}`),
    `  ${'help'.padEnd(12)}What a command does and its options: ${name} help COMMAND, or ${name} COMMAND --help`,
    '',
    `Without a command: ${fallback}. --version prints the version.`,
    ...wrapped(EXIT_CODES, WIDTH),
  ].join('\n')
}

function usage({ operands, options }: Command): string {
  const needed = Object.entries(options)
    .filter(([, { required }]) => required)
    .map(([key, { placeholder }]) => `${optionName(key)} ${placeholder}`)
  const named = operands ? [operands.many ? `${operands.name} ...` : operands.name] : []
  const more = Object.keys(options).length > needed.length ? ['[options]'] : []
  return [...named, ...needed, ...more].map((word) => ` ${word}`).join('')
}

function optionLines(options: Options): string[] {
  const lines: string[] = []
  let heading: string | undefined
  for (const [key, { placeholder, doc, group }] of Object.entries(options)) {
    if (group !== undefined && group !== heading)
      lines.push(...(lines.length > 0 ? [''] : []), `${group}:`, '')
    heading = group
    const name = `  ${optionName(key)}${placeholder === undefined ? '' : ` ${placeholder}`}`
    const [first = '', ...rest] = wrapped(doc, WIDTH - COLUMN)
    if (name.length < COLUMN - 1) lines.push(name.padEnd(COLUMN) + first)
    else lines.push(name, ' '.repeat(COLUMN) + first)
    lines.push(...rest.map((line) => ' '.repeat(COLUMN) + line))
  }
  return lines
}

function wrapped(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
