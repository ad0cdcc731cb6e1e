import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { textLines } from '../../src/tools/text-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function lines(content: string | Buffer): Promise<[number, string][]> {
  const file = join(folder, 'text')
  writeFileSync(file, content)
  const read: [number, string][] = []
  for await (const { number, text } of textLines(file)) read.push([number, text])
  return read
}

test('a line ends with \\n or \\r\\n and with nothing else', async () => {
  expect(await lines('a\u2028b\u2029c\u0085d\ve\ff\rg\r\nh\n')).toEqual([
    [1, 'a\u2028b\u2029c\u0085d\ve\ff\rg'],
    [2, 'h'],
  ])
})

test('blank lines are counted and left out; the last line needs no end', async () => {
  expect(await lines('\n \r\na\n\n\uFEFFb')).toEqual([
    [3, 'a'],
    [5, 'b'],
  ])
  expect(await lines('')).toEqual([])
})

test('long lines and characters that lie across two reads come whole', async () => {
  const long = 'é'.repeat(1_500_000)
  expect(await lines(`x${long}\n${long}\n`)).toEqual([
    [1, `x${long}`],
    [2, long],
  ])
})

test('what is not UTF-8, or endless, is refused by its line', async () => {
  await expect(lines(Buffer.from('a\nr\xe9sum\xe9\n', 'latin1'))).rejects.toThrow(/text:2: not UTF-8/)
  await expect(lines(Buffer.alloc(70 * 1024 * 1024, 'a'))).rejects.toThrow(
    /text:1: longer than 67108864 bytes/,
  )
  await expect(textLines(folder).next()).rejects.toMatchObject({ code: 'INPUT_UNUSABLE' })
})
