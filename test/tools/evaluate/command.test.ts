import { expect, test } from 'vitest'
import { parseCommand } from '../../../src/cli/parse.ts'
import { evaluateCommand } from '../../../src/tools/evaluate/command.ts'
import { ran } from '../../cli/run-command.ts'

test('reads what it is given', () => {
  const { given, operands } = parseCommand(evaluateCommand, [
    ...['one', 'two', '--bm25', '--queries', '20', '--ef', '50', '--modes', 'dense, lexical,dense'],
  ])
  expect(operands).toEqual(['one', 'two'])
  expect(given).toMatchObject({
    bm25: true,
    queries: 20,
    ef: 50,
    device: 'auto',
    modes: ['dense', 'lexical'],
  })
})

test.each([
  [['a', '--queries', '0'], /--queries is 0; it must be a whole number from 1/],
  [['a', '--device', 'tpu'], /--device is tpu; it can be auto, cpu, cuda/],
  [['a', '--url', 'http://x', '--model', 'm'], /--model does not go with --url/],
  [['a', '--url', 'http://x', '--device', 'cpu'], /--device does not go with --url/],
  [['a', '--url', 'http://x', '--write-card'], /--write-card does not go with --url/],
  [['a', '--url', 'http://x', '--against', 'm'], /--against does not go with --url/],
  [['a', '--api-key-file', 'f'], /--api-key-file needs --url/],
  [['a', '--keep'], /--keep needs --url/],
  [['a', 'b', '--url', 'http://x', '--keep'], /--keep takes one folder/],
  [['a', '--url', 'http://x', '--keep', '--use-existing'], /--use-existing does not go with --keep/],
  [['a', '--modes', 'dense,sparse'], /--modes is sparse; it can be dense, lexical, hybrid, rerank/],
  [['a', '--modes', 'rerank'], /--modes rerank needs --reranker/],
  [['a', '--reranker', 'm'], /--reranker needs --modes/],
  [['a', '--url', 'http://x', '--modes', 'rerank', '--reranker', 'm'], /--reranker does not go with --url/],
  [['a', '--modes', 'dense', '--write-card'], /--modes does not go with --write-card/],
  [['a', '--json', '--markdown'], /--json does not go with --markdown/],
  [['a', '--write-card', '--queries', '5'], /--write-card does not go with --queries/],
  [[], /Name at least one folder with a judged set/],
  [['a', '--nope'], /There is no option --nope/],
])('refuses %j', async (args, message) => {
  const { status, stderr } = await ran(evaluateCommand, args)
  expect(status).toBe(2)
  expect(stderr).toMatch(message)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
})

test('a set that is not there ends with 2', async () => {
  const { status, stdout, stderr } = await ran(evaluateCommand, ['/nowhere/set'])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain('/nowhere/set: it holds no qrels.tsv')
})
