import { describe, expect, test } from 'vitest'
import { defineCommand } from '../../src/cli/command.ts'
import { commandHelp } from '../../src/cli/help.ts'
import { choice, flag, inGroup, required, text, wholeNumber, withDefault } from '../../src/cli/option.ts'
import { parseCommand } from '../../src/cli/parse.ts'

const command = defineCommand({
  name: 'paint',
  npm: 'npm run paint --',
  about: 'Paints a wall.',
  operands: { name: 'WALL', noun: 'wall' },
  options: {
    out: required(text('FILE', 'where the picture goes')),
    colour: withDefault(choice('C', ['red', 'green'], 'which colour'), 'red'),
    coatsMax: wholeNumber(
      'N',
      [1, 9],
      'most coats, one after another, each of them dry before the next begins',
    ),
    ...inGroup('On a ladder', {
      ladder: { ...flag('use one'), excludes: ['scaffold'] },
      scaffold: flag('use a scaffold'),
      height: { ...text('M', 'how high'), needs: 'ladder' },
    }),
  },
  run: async () => {},
})
const parse = (...args: string[]) => parseCommand(command, args)

describe('arguments', () => {
  test('become values: given ones, defaults, and nothing where there is neither', () => {
    const { given, operands } = parse('wall', '--out', 'a.png', '--coats-max=3')
    expect(given).toEqual({ out: 'a.png', colour: 'red', coatsMax: 3, ladder: false, scaffold: false })
    expect(operands).toEqual(['wall'])
  })

  test('may stand in any order; the last of two counts, and after -- all are operands', () => {
    const { given, operands } = parse(
      '--ladder',
      '--out=x',
      '--colour',
      'green',
      '--out',
      'y',
      '--',
      '--wall',
    )
    expect(given).toMatchObject({ out: 'y', colour: 'green', ladder: true })
    expect(operands).toEqual(['--wall'])
  })

  test.each([
    [['wall'], '--out is missing.'],
    [['--out', 'x'], 'Name one wall (WALL).'],
    [['a', 'b', '--out', 'x'], 'Name one wall (WALL), not 2: a, b.'],
    [['wall', '--out'], '--out needs a value: --out FILE.'],
    [['wall', '--out', '--ladder'], '--out needs a value: --out FILE.'],
    [['wall', '--out', ' '], '--out is empty.'],
    [['wall', '--out', 'x', '--colour', 'blue'], '--colour is blue; it can be red, green.'],
    [
      ['wall', '--out', 'x', '--coats-max', '10'],
      '--coats-max is 10; it must be a whole number from 1 to 9.',
    ],
    [['wall', '--out', 'x', '--coats-max', '-1'], '--coats-max needs a value'],
    [['wall', '--out', 'x', '--coats-max=-1'], '--coats-max is -1; it must be'],
    [['wall', '--out', 'x', '--ladder=yes'], '--ladder takes no value.'],
    [['wall', '--out', 'x', '--ladder', '--scaffold'], '--ladder does not go with --scaffold.'],
    [['wall', '--out', 'x', '--height', '3'], '--height needs --ladder.'],
    [['wall', '--colours', 'red'], 'There is no option --colours. Did you mean --colour?'],
    [['wall', '--constructor', 'red'], 'There is no option --constructor. The options are --out, --colour,'],
    [['wall', '-x'], 'There is no option -x.'],
  ])('%j are refused', (args, message) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({ code: 'INVALID_USAGE', message: expect.stringContaining(message) }),
    )
    expect(() => parse(...args)).toThrow(/ See --help\.$/)
  })
})

test('the help has every option, in groups, within 110 columns', () => {
  const help = commandHelp(command, 'house')
  expect(help).toMatch(/^Usage: house paint WALL --out FILE \[options\]\n/)
  expect(help).toContain('npm run paint -- WALL --out FILE [options]')
  expect(help).toMatch(/\n {2}--colour C {12}which colour; default red\n/)
  expect(help).toMatch(/\nOn a ladder:\n\n {2}--ladder {14}use one\n/)
  expect(help).toMatch(/Exit codes: 0 done; 1 failed; 2 cannot run as asked/)
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
})
