import type { Random } from '../../index/random.ts'

/** Values that programs trip over. */
const ODD: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u200b',
  '\u202eabc',
  '𝔘𝔫𝔦',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'a'.repeat(600),
  0,
  -0,
  -1,
  0.5,
  1e21,
  2 ** 53,
  2 ** 53 + 2,
  1e308,
  5e-324,
  [],
  {},
  [[]],
  [null],
  [{}],
  { $and: [] },
  { $or: [{}] },
  { $not: {} },
  { a: { $in: [] } },
  { a: { $nin: [] } },
  { a: { $gt: 'x' } },
  { a: { $exists: 1 } },
  { $where: '1' },
]

/** Pieces of JSON text that JSON.stringify never writes. */
const RAW = [
  '1e999',
  '-0',
  '9007199254740993',
  '123456789012345678901234567890',
  '1.0',
  '"\\ud800"',
  '"\\u0000"',
  '0x10',
]

/** Bytes that are no UTF-8, or no JSON. */
const BYTES = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xef, 0xbb, 0xbf],
  [0],
  [0x22],
  [0x7b],
  [0x5d],
  [0x0a],
  [0x2c],
]

/** JSON near a value that is right: some part replaced, taken away, repeated, nested, or its text damaged. */
export function mutated(value: unknown, random: Random): Buffer {
  let changed = structuredClone(value)
  const changes = random.below(3)
  for (let i = 0; i < changes; i++) changed = mutateValue(changed, random, 0)
  let text = JSON.stringify(changed) ?? 'null'
  if (random.next() < 0.25) text = mutateText(text, random)
  const bytes = Buffer.from(text, 'utf8')
  return random.next() < 0.2 ? mutateBytes(bytes, random) : bytes
}

function mutateValue(value: unknown, random: Random, depth: number): unknown {
  if (random.next() < 0.3 || typeof value !== 'object' || value === null) {
    return random.next() < 0.1 ? nested(random.below(200)) : random.pick(ODD)
  }
  if (Array.isArray(value)) {
    if (value.length === 0 || random.next() < 0.2) return [...value, ...value, random.pick(ODD)]
    const i = random.below(value.length)
    return value.map((item, at) => (at === i ? mutateValue(item, random, depth + 1) : item))
  }
  const entries = Object.entries(value)
  const way = random.next()
  if (way < 0.2 || entries.length === 0) entries.push([String(random.pick(ODD)), random.pick(ODD)])
  else if (way < 0.4) entries.splice(random.below(entries.length), 1)
  else {
    const i = random.below(entries.length)
    entries[i] = [entries[i]![0], mutateValue(entries[i]![1], random, depth + 1)]
  }
  return Object.fromEntries(entries)
}

function nested(depth: number): unknown {
  let value: unknown = { size: 1 }
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? { $and: [value] } : { $not: value }
  return value
}

function mutateText(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  const way = random.next()
  if (way < 0.3) return text.slice(0, at)
  if (way < 0.7)
    return text.replace(/-?\d+(\.\d+)?|"[^"]*"/g, (token) => (random.next() < 0.3 ? random.pick(RAW) : token))
  if (way < 0.85) return text.replace(/([{,])("[^"]*":)/, `$1$2${random.pick(RAW)},$2`)
  return text.slice(0, at) + '[{"$and":'.repeat(random.below(3000)) + text.slice(at)
}

function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const inserted = Buffer.from(random.pick(BYTES))
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + (random.next() < 0.5 ? 1 : 0))])
}

/** Text for a path, a query or a header that is not what anyone would send. */
export function oddText(random: Random): string {
  const odd = random.pick(ODD)
  const text = typeof odd === 'string' ? odd : (JSON.stringify(odd) ?? '')
  return random.next() < 0.3 ? `${text}%` : encodeURIComponent(text.toWellFormed())
}
