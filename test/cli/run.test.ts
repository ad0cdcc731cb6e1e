import { describe, expect, test } from 'vitest'
import type { Command, Program } from '../../src/cli/command.ts'
import { TOOL_ERROR_CODES, ToolError } from '../../src/cli/tool-error.ts'
import { PROGRAM } from '../../src/commands.ts'
import { ServiceError } from '../../src/errors.ts'
import { ran, ranProgram } from './run-command.ts'

const failing = (error: unknown, more: Partial<Command> = {}): Command => ({
  name: 'fail',
  npm: 'npm run fail --',
  about: 'Fails.',
  options: {},
  run: () => Promise.reject(error),
  ...more,
})

describe('a command that fails', () => {
  test.each([
    [new ToolError('DISK_FULL', 'The disk is full.'), 1],
    [new ToolError('CHECKPOINT_UNUSABLE', 'It is damaged.'), 2],
    [new ServiceError('MODEL_UNUSABLE', 'No such model.'), 2],
    [new ServiceError('INVALID_CONFIG', 'PORT must be a number.'), 2],
    [new ServiceError('OVERLOADED', 'Too busy.'), 1],
  ])('with %s prints one line and ends with %d', async (error, code) => {
    const { status, stdout, stderr } = await ran(failing(error, { failure: 'Not done.' }), [])
    expect([status, stdout, stderr]).toEqual([code, '', `Not done. ${error.message}\n`])
  })

  test('unexpectedly prints the stack and ends with 1', async () => {
    const { status, stderr } = await ran(failing(new TypeError('x is not a function')), [])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^TypeError: x is not a function\n {4}at /)
    const wrapped = new ServiceError('INTERNAL', 'Something failed.', {}, new Error('the cause'))
    expect((await ran(failing(wrapped), [])).stderr).toMatch(
      /^Error: the cause\n {4}at [\s\S]+\nSomething failed\. \(Error: the cause\)\n$/,
    )
  })

  test('has an exit code for every code of error', async () => {
    for (const code of TOOL_ERROR_CODES) {
      expect([1, 2]).toContain((await ran(failing(new ToolError(code, 'x')), [])).status)
    }
  })
})

describe('llara-serve', () => {
  const run = (...args: string[]) => ranProgram(PROGRAM, args)
  const names = Object.keys(PROGRAM.commands)

  test.each([['--help'], ['-h'], ['help']])('%s lists the commands, a line each', async (arg) => {
    const { status, stdout, stderr } = await run(arg)
    expect([status, stderr]).toEqual([0, ''])
    expect(names).toEqual(expect.arrayContaining(['serve', 'pull', 'export', 'evaluate']))
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, 'm'))
    expect(stdout).toContain('Exit codes: 0 done; 1 failed; 2 cannot run as asked')
  })

  test.each(names)('help %s is what its --help prints', async (name) => {
    const { status, stdout } = await run('help', name)
    expect(status).toBe(0)
    expect(stdout).toContain(`Usage: llara-serve ${name}`)
    expect(stdout).toContain('Exit codes: ')
    expect((await run(name, '--help')).stdout).toBe(stdout)
    expect((await run(name, '-h')).stdout).toBe(stdout)
  })

  test('has a version, whichever command is named', async () => {
    const { status, stdout } = await run('--version')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await run('serve', '--version')).stdout).toBe(stdout)
  })

  test.each([
    [['evalute', 'x'], 'There is no command evalute. Did you mean evaluate?'],
    [['help', 'exporter'], 'There is no command exporter. Did you mean export?'],
    [
      ['constructor'],
      'There is no command constructor. The commands are serve, pull, export, backup, restore, evaluate',
    ],
    [['--port=1'], 'There is no option --port. Settings are environment variables.'],
    [['serve', '8080'], 'This command takes no arguments, and 8080 was given. Settings are'],
    [
      ['export', 'x', '--precison', 'int8'],
      'Not exported. There is no option --precison. Did you mean --precision?',
    ],
    [['pull'], 'Not pulled. Name one repository or folder'],
  ])('%j ends with 2 and says what there is', async (args, message) => {
    const { status, stdout, stderr } = await run(...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^[^\n]+ See --help\.\n$/)
  })

  test('loads only the command that runs', async () => {
    const loaded: string[] = []
    const entry = (name: string) => ({
      summary: name,
      load: async () => {
        loaded.push(name)
        return failing(undefined, { run: async () => {} })
      },
    })
    const program: Program = { ...PROGRAM, fallback: 'a', commands: { a: entry('a'), b: entry('b') } }
    await ranProgram(program, ['--help'])
    await ranProgram(program, ['c'])
    expect(loaded).toEqual([])
    await ranProgram(program, ['b'])
    await ranProgram(program, [])
    expect(loaded).toEqual(['b', 'a'])
  })
})
