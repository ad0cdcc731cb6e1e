import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../src/retrieval/checks/parse-filter.ts'
import { ExactIndex } from '../oracle/exact-index.ts'
import { idsOf } from './documents.ts'
import { KEYS, Random, randomDocument, SCALARS } from './random.ts'
import { DIMENSIONS, openIn, scratchFolder } from './scratch.ts'

const fieldName = (key: string) => key.replace(/[\\.]/g, '\\$&').replace(/^\$/, '\\$')

function randomWire(random: Random, depth = 0): Record<string, unknown> {
  const kind = random.next()
  if (depth < 4 && kind < 0.15) return { $not: randomWire(random, depth + 1) }
  if (depth < 4 && kind < 0.45) {
    const parts = Array.from({ length: 1 + random.below(3) }, () => randomWire(random, depth + 1))
    return { [random.pick(['$and', '$or'])]: parts }
  }
  const names = KEYS.filter((key) => key !== '').map(fieldName)
  const field = random.next() < 0.7 ? random.pick(names) : `${random.pick(names)}.${random.pick(names)}`
  const ordered = SCALARS.filter((value) => typeof value === 'number' || typeof value === 'string')
  const condition = random.pick([
    () => random.pick(SCALARS),
    () => ({ [random.pick(['$eq', '$ne'])]: random.pick(SCALARS) }),
    () => ({
      [random.pick(['$in', '$nin'])]: Array.from({ length: random.below(4) }, () => random.pick(SCALARS)),
    }),
    () => ({ [random.pick(['$gt', '$gte', '$lt', '$lte'])]: random.pick(ordered) }),
    () => ({ $gte: random.pick(ordered), $lt: random.pick(ordered) }),
    () => ({ $exists: random.next() < 0.5 }),
  ])()
  return Object.fromEntries([[field, condition]])
}

describe('filters over SQL', () => {
  it('match exactly the documents that the reference evaluation matches', async () => {
    const random = new Random(20_260)
    const index = await openIn(await scratchFolder())
    const oracle = new ExactIndex(DIMENSIONS)
    const documents = Array.from({ length: 400 }, (_, i) => randomDocument(random, `d${i}`, DIMENSIONS))
    for (const target of [index, oracle]) {
      await target.upsert(documents)
      await target.remove({ ids: idsOf(documents.slice(0, 50)) })
    }
    let selective = 0
    for (let i = 0; i < 300; i++) {
      const wire = randomWire(random)
      const filter = parseFilter(wire)
      const [found, expected] = await Promise.all(
        [index, oracle].map(async (target) => {
          const page = await target.scan({ limit: 400, filter })
          return page.documents.map(({ id }) => id)
        }),
      )
      expect(found, JSON.stringify(wire)).toEqual(expected)
      if (found && found.length > 0 && found.length < 350) selective++
    }
    expect(selective).toBeGreaterThan(100)
  })
})
