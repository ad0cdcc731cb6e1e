import type { IndexedDocument } from '../../src/index/document.ts'
import type { Json, JsonScalar, Metadata } from '../../src/index/json.ts'
import { indexed } from './documents.ts'

/** A small seeded generator (mulberry32): a failing test fails again. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  unitVector(dimensions: number): Float32Array {
    return unit(Float32Array.from({ length: dimensions }, () => this.normal()))
  }

  /** Near a centre: embeddings cluster, and graphs behave otherwise on clusters than on uniform noise. */
  nearby(centre: Float32Array, spread: number): Float32Array {
    const scale = spread / Math.sqrt(centre.length)
    return unit(centre.map((value) => value + scale * this.normal()))
  }
}

export function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

export const SCALARS: JsonScalar[] = [
  ...[0, 1, -1, 2.5, 1e300, 5e-324, 2 ** 53, 2 ** 53 + 2, 1e21, 42],
  ...[
    '',
    'a',
    'b',
    'ab',
    'A',
    '1',
    'true',
    'null',
    'é',
    'e\u0301',
    '\uff5e',
    '\u{1f600}',
    'a\u0000b',
    "o'x",
    '"',
  ],
  ...[true, false, null],
]
export const KEYS = [
  'a',
  'b',
  'c',
  'a.b',
  '$a',
  '\\',
  '__proto__',
  'constructor',
  'ü',
  '\u{1f600}',
  'a b',
  '"',
  '',
]

export function randomJson(random: Random, depth = 0): Json {
  const kind = random.next()
  if (depth > 3 || kind < 0.7) return random.pick(SCALARS)
  if (kind < 0.85) return Array.from({ length: random.below(4) }, () => randomJson(random, depth + 1))
  return randomMetadata(random, depth + 1)
}

export function randomMetadata(random: Random, depth = 0): Metadata {
  const entries = Array.from({ length: random.below(5) }, (): [string, Json] => {
    return [random.pick(KEYS), randomJson(random, depth)]
  })
  return Object.fromEntries(entries)
}

export function randomDocument(random: Random, id: string, dimensions: number): IndexedDocument {
  const document = {
    id,
    text: `text of ${id}, version ${random.below(1_000_000)}`,
    title: random.next() < 0.5 ? null : `title ${id}`,
    metadata: randomMetadata(random),
  }
  return indexed(document, random.unitVector(dimensions))
}

/** As `randomDocument`, of one to four passages. */
export function randomLongDocument(random: Random, id: string, dimensions: number): IndexedDocument {
  const { document } = randomDocument(random, id, dimensions)
  const passages = 1 + random.below(4)
  return indexed(document, ...Array.from({ length: passages }, () => random.unitVector(dimensions)))
}

export function clusteredDocuments(random: Random, n: number, dimensions: number): IndexedDocument[] {
  const centres = Array.from({ length: 40 }, () => random.unitVector(dimensions))
  return Array.from({ length: n }, (_, i) => {
    const metadata = { n: i, tenth: i % 10 === 0, group: `g${i % 7}` }
    const document = { id: `d${i}`, text: `text ${i}`, title: null, metadata }
    return indexed(document, random.nearby(random.pick(centres), 0.8))
  })
}
