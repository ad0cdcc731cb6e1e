import { beforeAll, describe, expect, test } from 'vitest'
import type { Card } from '../../src/model/card.ts'
import {
  inRowOrder,
  maxBodyTokens,
  type Prompt,
  pooledIds,
  rowTokens,
  rowTokensMax,
} from '../../src/model/prompt.ts'
import { readCard } from '../../src/model/read-card.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

let card: Card
beforeAll(async () => {
  card = readCard(await tinyModel('gqa-released'))
})

describe('the order of prompts in a row', () => {
  test.each<[Prompt[], Prompt[]]>([
    [['ebar'], ['ebar']],
    [['ebae'], ['ebae']],
    [
      ['ebar', 'ebae'],
      ['ebae', 'ebar'],
    ],
    [
      ['ebae', 'ebar'],
      ['ebae', 'ebar'],
    ],
  ])('%j is %j', (asked, order) => expect(inRowOrder(asked)).toEqual(order))

  test.each([[[]], [['ebar', 'ebar']], [['ebae', 'ebar', 'ebae']], [['query']]])('%j is refused', (asked) =>
    expect(() => inRowOrder(asked as Prompt[])).toThrow(TypeError),
  )
})

describe('a row', () => {
  const body = Uint32Array.of(40, 41, 42)

  test('is prefix, body and suffix, and its span is the suffix', () => {
    for (const prompt of ['ebar', 'ebae'] as const) {
      const { prefixIds, suffixIds } = card.prompts[prompt]
      const { ids, spans } = rowTokens(card, [prompt], body)
      expect([...ids]).toEqual([...prefixIds, ...body, ...suffixIds])
      expect(spans).toEqual([prefixIds.length + 3, ids.length])
    }
  })

  test('of a joint pass has both suffixes, SELF (EBAE) first', () => {
    const { ebar, ebae } = card.prompts
    const { ids, spans } = rowTokens(card, ['ebae', 'ebar'], body)
    expect([...ids]).toEqual([...ebae.prefixIds, ...body, ...ebae.suffixIds, ...ebar.suffixIds])
    expect([...ids.slice(spans[0], spans[1])]).toEqual(ebae.suffixIds)
    expect([...ids.slice(spans[2], spans[3])]).toEqual(ebar.suffixIds)
  })

  test('of an empty body is the prompt alone', () => {
    const { prefixIds, suffixIds } = card.prompts.ebar
    expect([...rowTokens(card, ['ebar'], new Uint32Array(0)).ids]).toEqual([...prefixIds, ...suffixIds])
  })

  test('is never longer than the longest', () => {
    const choices: Prompt[][] = [['ebar'], ['ebae'], ['ebae', 'ebar']]
    const lengths = choices.map((prompts) => {
      const longest = new Uint32Array(maxBodyTokens(card, prompts))
      return rowTokens(card, prompts, longest).ids.length
    })
    expect(rowTokensMax(card)).toBe(Math.max(...lengths))
  })
})

test('the pooled ids are the last of each suffix', () => {
  const { prompts, pooling } = card
  expect(pooling.tokens).toBe(8)
  expect(pooledIds(card)).toEqual([...prompts.ebar.suffixIds.slice(-8), ...prompts.ebae.suffixIds.slice(-8)])
})
