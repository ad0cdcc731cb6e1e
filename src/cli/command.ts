import type { Given, Options } from './option.ts'
import type { Terminal } from './terminal.ts'

/** What stands on the command line beside options. */
interface Operands {
  /** As the help shows it: `CHECKPOINT`, `REPOSITORY|FOLDER`. */
  readonly name: string
  /** What it is, for "Name one ...". */
  readonly noun: string
  readonly many?: boolean
  /** None will do as well. */
  readonly optional?: boolean
}

/** What a command was called with, checked by its table. */
export interface Call<O extends Options = Options> {
  readonly given: Given<O>
  readonly operands: readonly string[]
  /** As typed. */
  readonly args: readonly string[]
}

/** A subcommand: its table of options, from which help, parsing and checks come, and its work. */
export interface Command<O extends Options = Options> {
  readonly name: string
  /** The same with npm, in a checkout: `npm run model:export --`. */
  readonly npm: string
  /** Paragraphs of the help before the options. */
  readonly about: string
  /** Exactly one is wanted, or with `many` at least one; none where absent. */
  readonly operands?: Operands
  readonly options: O
  /** Added to complaints about usage: what people who type such things look for. */
  readonly usageAdvice?: string
  /** Printed before the reason when it fails, such as `Not exported.` */
  readonly failure?: string
  /**
   * Does the work. Of what it throws, ToolError and ServiceError are printed as one line, anything else with
   * its stack.
   */
  run(call: Call<O>, terminal: Terminal): Promise<void>
}

/** Holds a command to its own table's types. */
export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command
}

/** A row in the list of commands; the command itself is loaded when it is asked for. */
interface CommandEntry {
  /** One line. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

export interface Program {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly commands: Readonly<Record<string, CommandEntry>>
  /** The command that runs where none is named. */
  readonly fallback: string
}
