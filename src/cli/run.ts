import { causeLine, causeText } from '../cause.ts'
import { ServiceError } from '../errors.ts'
import type { Command, Program } from './command.ts'
import { type ExitCode, exitCodeOf } from './exit-code.ts'
import { commandHelp, programHelp } from './help.ts'
import { nearest } from './nearest.ts'
import { asksFor, parseCommand } from './parse.ts'
import { say, type Terminal } from './terminal.ts'
import { invalidUsage, ToolError } from './tool-error.ts'

/**
 * Picks the command that the arguments name, loads it alone, and runs it.
 * @param args without the program's own name
 */
export async function runProgram(
  program: Program,
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const [first, ...rest] = args
  if (first === '--version') return printed(terminal, program.version)
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    return printed(terminal, programHelp(program))
  }
  if (first === 'help') return runProgram(program, [rest[0]!, '--help'], terminal)
  // What begins with a dash belongs to the command that runs where none is named.
  const named = first !== undefined && !first.startsWith('-')
  const name = named ? first : program.fallback
  const entry = Object.hasOwn(program.commands, name) ? program.commands[name] : undefined
  if (!entry) return failed(unknownCommand(program, name), terminal)
  const commandArgs = named ? rest : args
  const command = await entry.load()
  if (asksFor('version', commandArgs)) return printed(terminal, program.version)
  return runCommand(command, commandArgs, terminal, program.name)
}

/**
 * Parses the arguments by the command's table and runs it; whatever it throws is printed on standard error.
 * @param program name of the program that the command belongs to, for its help
 */
export async function runCommand(
  command: Command,
  args: readonly string[],
  terminal: Terminal,
  program?: string,
): Promise<ExitCode> {
  if (asksFor('help', args)) return printed(terminal, commandHelp(command, program))
  try {
    await command.run(parseCommand(command, args), terminal)
    return 0
  } catch (error) {
    return failed(error, terminal, command.failure)
  }
}

function printed(terminal: Terminal, text: string): ExitCode {
  say(terminal.stdout, text)
  return 0
}

function failed(error: unknown, terminal: Terminal, before?: string): ExitCode {
  say(terminal.stderr, before ? `${before} ${faultText(error)}` : faultText(error))
  return exitCodeOf(error)
}

/** One line for what the user can mend; the stack of anything else comes before it. */
export function faultText(error: unknown): string {
  const line = faultLine(error)
  const foreseen = error instanceof ToolError || (error instanceof ServiceError && error.code !== 'INTERNAL')
  const thrown = error instanceof ServiceError ? (error.cause ?? error) : error
  return foreseen ? line : `${causeText(thrown)}\n${line}`
}

/** What went wrong, with what caused it where the message does not say that already. */
export function faultLine(error: unknown): string {
  if (error instanceof ToolError) return error.message
  if (!(error instanceof ServiceError)) return causeLine(error)
  const { cause, message } = error
  const told = cause === undefined || (cause instanceof Error && message.includes(cause.message))
  return told ? message : `${message} (${causeLine(cause)})`
}

function unknownCommand({ commands }: Program, name: string): ToolError {
  const names = Object.keys(commands)
  const meant = nearest(name, names)
  return invalidUsage(
    `There is no command ${name}.${meant ? ` Did you mean ${meant}?` : ''} The commands are ${names.join(', ')}.`,
  )
}
