import { expect, test } from 'vitest'
import { type Line, type LinePlace, ndjsonLines } from '../../src/http/wire/ndjson-lines.ts'

async function lines(chunks: Uint8Array[], max = 100): Promise<[number, string | undefined][]> {
  async function* source() {
    yield* chunks
  }
  const found: Line[] = []
  for await (const line of ndjsonLines(source(), max)) found.push(line)
  return found.map(({ number, bytes }) => [number, bytes && Buffer.from(bytes).toString()])
}

const BODY = Buffer.from('\ufeff{"a":"é"}\r\n\n  \n{"b":"日本"}\n{"c":"🌊"}')
const EXPECTED = [
  [1, '{"a":"é"}'],
  [4, '{"b":"日本"}'],
  [5, '{"c":"🌊"}'],
]

test('cut at every byte the lines are the same', async () => {
  for (let cut = 0; cut <= BODY.length; cut++) {
    expect(await lines([BODY.subarray(0, cut), BODY.subarray(cut)])).toEqual(EXPECTED)
  }
})

test('a byte at a time the lines are the same', async () => {
  expect(await lines([...BODY].map((byte) => Uint8Array.of(byte)))).toEqual(EXPECTED)
})

test('an end after the last line changes nothing, and an empty body has no line', async () => {
  expect(await lines([Buffer.from('{}\n')])).toEqual([[1, '{}']])
  expect(await lines([])).toEqual([])
  expect(await lines([Buffer.from('\r\n\n\ufeff\n')])).toEqual([])
})

test('files put together have a byte order mark on later lines', async () => {
  expect(await lines([Buffer.from('\ufeff{}\n\ufeff[]\r\n')])).toEqual([
    [1, '{}'],
    [2, '[]'],
  ])
})

test('a line of the limit passes, one byte more is told and skipped, however it is cut', async () => {
  const body = Buffer.from(
    `${'x'.repeat(10)}\r\n${'y'.repeat(11)}\n${'z'.repeat(5000)}\nok\n${'w'.repeat(12)}`,
  )
  for (const size of [1, 3, 7, 100, body.length]) {
    const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, i) =>
      body.subarray(i * size, (i + 1) * size),
    )
    expect(await lines(chunks, 10)).toEqual([
      [1, 'x'.repeat(10)],
      [2, undefined],
      [3, undefined],
      [4, 'ok'],
      [5, undefined],
    ])
  }
})

test('nothing is read ahead of the consumer', async () => {
  let pulled = 0
  async function* source() {
    for (;;) {
      pulled++
      yield Buffer.from('{}\n')
    }
  }
  const iterator = ndjsonLines(source(), 10)
  await iterator.next()
  await iterator.next()
  expect(pulled).toBe(2)
})

test('reading may begin again at the end of any line', async () => {
  const begin = async (from: LinePlace) => {
    async function* source() {
      yield BODY.subarray(from.offset)
    }
    const found: Line[] = []
    for await (const line of ndjsonLines(source(), 100, from)) found.push(line)
    return found
  }
  const whole = await begin({ line: 1, offset: 0 })
  expect(whole.at(-1)?.end).toBe(BODY.length)
  for (const [i, { number, end }] of whole.entries()) {
    expect(await begin({ line: number + 1, offset: end })).toEqual(whole.slice(i + 1))
  }
})
