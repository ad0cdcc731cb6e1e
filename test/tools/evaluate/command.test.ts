import { expect, test } from 'vitest'
import { readOptions } from '../../../src/tools/evaluate/command/options.ts'

test('reads what it is given', () => {
  const options = readOptions(['one', 'two', '--bm25', '--queries', '20', '--ef', '50'])
  expect(options).toMatchObject({ folders: ['one', 'two'], bm25: true, queries: 20, ef: 50, device: 'auto' })
})

test.each([
  [['a', '--queries', '0'], /--queries is a positive whole number/],
  [['a', '--device', 'tpu'], /--device is auto, cpu or cuda/],
  [['a', '--url', 'http://x', '--model', 'm'], /--model does not go with --url/],
  [['a', '--url', 'http://x', '--write-card'], /--write-card does not go with --url/],
  [['a', '--url', 'http://x', '--against', 'm'], /--against does not go with --url/],
  [['a', '--keep'], /--keep needs --url/],
  [['a', 'b', '--url', 'http://x', '--keep'], /--keep takes one folder/],
  [['a', '--url', 'http://x', '--keep', '--use-existing'], /--use-existing stores nothing/],
  [['a', '--json', '--markdown'], /exclude each other/],
  [['a', '--write-card', '--queries', '5'], /--write-card takes whole sets/],
])('refuses %j', (args, message) => {
  expect(() => readOptions(args)).toThrow(message)
})

test('an option that does not exist is told', () => {
  expect(() => readOptions(['a', '--nope'])).toThrow(/--nope/)
})
