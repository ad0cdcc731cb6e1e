import { parseArgs } from 'node:util'
import type { Call, Command } from './command.ts'
import { nearest } from './nearest.ts'
import { type Given, type Options, optionName } from './option.ts'
import { invalidUsage, type ToolError } from './tool-error.ts'

/** Options that every command has. */
const COMMON = ['--help', '--version']

/** Whether help or the version is asked for, wherever that stands. */
export function asksFor(wish: 'help' | 'version', args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end < 0 ? args : args.slice(0, end)
  return options.some((arg) => arg === `--${wish}` || (wish === 'help' && arg === '-h'))
}

/**
 * Arguments as the command's table has them; of an option given twice the last counts.
 * @throws ToolError INVALID_USAGE naming the option at fault, and the one that was probably meant
 */
export function parseCommand<O extends Options>(command: Command<O>, args: readonly string[]): Call<O> {
  const keys = new Map(Object.keys(command.options).map((key) => [optionName(key), key]))
  const options = Object.fromEntries(
    [...keys].map(([name, key]) => [name.slice(2), { type: typeOf(command.options, key) }]),
  )
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values: Record<string, unknown> = {}
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const key = keys.get(token.rawName)
    if (key === undefined) throw unknownOption(command, token.rawName, [...keys.keys()])
    values[key] = checkedValue(command.options, key, token)
  }
  checkRelations(command.options, values)
  checkOperands(command, operands)
  for (const [key, { fallback }] of Object.entries(command.options)) {
    if (values[key] === undefined && fallback !== undefined) values[key] = fallback
  }
  return { given: values as Given<O>, operands, args }
}

function typeOf(options: Options, key: string): 'string' | 'boolean' {
  return options[key]!.placeholder === undefined ? 'boolean' : 'string'
}

function checkedValue(
  options: Options,
  key: string,
  {
    rawName,
    value,
    inlineValue,
  }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
): unknown {
  const option = options[key]!
  if (option.placeholder === undefined) {
    if (inlineValue) throw invalidUsage(`${rawName} takes no value.`)
    return true
  }
  if (value === undefined || (!inlineValue && /^-./.test(value))) {
    throw invalidUsage(`${rawName} needs a value: ${rawName} ${option.placeholder}.`)
  }
  try {
    return option.parse(value)
  } catch (error) {
    throw invalidUsage(`${rawName} ${(error as Error).message}`)
  }
}

function unknownOption({ usageAdvice }: Command, name: string, known: readonly string[]): ToolError {
  const meant = nearest(name, [...known, ...COMMON])
  const hint = meant ? ` Did you mean ${meant}?` : ''
  const list = known.length > 0 ? ` The options are ${known.join(', ')}.` : ''
  return invalidUsage(`There is no option ${name}.${hint || list}${advice(usageAdvice)}`)
}

function checkRelations(options: Options, values: Record<string, unknown>): void {
  for (const [key, { required, needs, excludes = [] }] of Object.entries(options)) {
    const name = optionName(key)
    if (values[key] === undefined) {
      if (required) throw invalidUsage(`${name} is missing.`)
      continue
    }
    if (needs !== undefined && values[needs] === undefined)
      throw invalidUsage(`${name} needs ${optionName(needs)}.`)
    const other = excludes.find((excluded) => values[excluded] !== undefined)
    if (other !== undefined) throw invalidUsage(`${name} does not go with ${optionName(other)}.`)
  }
}

function checkOperands({ operands: wanted, usageAdvice }: Command, operands: readonly string[]): void {
  const [first, second] = operands
  if (!wanted && first !== undefined)
    throw invalidUsage(`This command takes no arguments, and ${first} was given.${advice(usageAdvice)}`)
  if (!wanted) return
  if (first === undefined && !wanted.optional)
    throw invalidUsage(`Name ${wanted.many ? 'at least ' : ''}one ${wanted.noun} (${wanted.name}).`)
  if (second !== undefined && !wanted.many)
    throw invalidUsage(
      `Name one ${wanted.noun} (${wanted.name}), not ${operands.length}: ${operands.join(', ')}.`,
    )
}

function advice(sentence: string | undefined): string {
  return sentence === undefined ? '' : ` ${sentence}`
}
