import { beforeAll, describe, expect, test } from 'vitest'
import type { Card } from '../../src/model/card.ts'
import {
  maxBodyTokens,
  type Pass,
  type Prompt,
  passesOf,
  pooledIds,
  rowTokens,
  rowTokensMax,
} from '../../src/model/prompt.ts'
import { readCard } from '../../src/model/read-card.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

let card: Card
/** Its prompts begin differently. */
let apart: Card
beforeAll(async () => {
  card = readCard(await tinyModel('gqa-released'))
  apart = readCard(await tinyModel('gqa-paper', { template: 'repllama' }))
})

describe('the passes', () => {
  test.each<[Prompt[], Prompt[], Pass[]]>([
    [['ebar'], ['ebar'], [['ebar']]],
    [['ebae'], ['ebae'], [['ebae']]],
    [
      ['ebar', 'ebae'],
      ['ebae', 'ebar'],
      [['ebae'], ['ebar']],
    ],
    [
      ['ebae', 'ebar'],
      ['ebae', 'ebar'],
      [['ebae'], ['ebar']],
    ],
  ])('of %j are one, %j, or %j where the prefixes differ', (asked, joint, separate) => {
    expect(passesOf(card, asked)).toEqual([joint])
    expect(passesOf(apart, asked)).toEqual(separate)
  })

  test('are two where one prefix is the beginning of the other', () => {
    const longer = structuredClone(card)
    longer.prompts.ebar.prefixIds.push(40)
    expect(passesOf(longer, ['ebar', 'ebae'])).toEqual([['ebae'], ['ebar']])
  })

  test.each([[[]], [['ebar', 'ebar']], [['ebae', 'ebar', 'ebae']], [['query']]])('%j is refused', (asked) => {
    for (const each of [card, apart]) expect(() => passesOf(each, asked as Prompt[])).toThrow(TypeError)
  })
})

describe('a row', () => {
  const body = Uint32Array.of(40, 41, 42)

  test('is prefix, body and suffix, and its span is the suffix', () => {
    expect(apart.prompts.ebar.prefixIds).not.toEqual(apart.prompts.ebae.prefixIds)
    for (const each of [card, apart]) {
      for (const prompt of ['ebar', 'ebae'] as const) {
        const { prefixIds, suffixIds } = each.prompts[prompt]
        const { ids, spans } = rowTokens(each, [prompt], body)
        expect([...ids]).toEqual([...prefixIds, ...body, ...suffixIds])
        expect(spans).toEqual([prefixIds.length + 3, ids.length])
      }
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
    const longRow = (each: Card) => (pass: Pass) =>
      rowTokens(each, pass, new Uint32Array(maxBodyTokens(each, pass))).ids.length
    const choices: Pass[] = [['ebar'], ['ebae'], ['ebae', 'ebar']]
    expect(rowTokensMax(card)).toBe(Math.max(...choices.map(longRow(card))))
    const longer = structuredClone(apart)
    longer.prompts.ebar.prefixIds.push(40, 41, 42)
    expect(rowTokensMax(longer)).toBe(longRow(longer)(['ebar']))
  })
})

test('the pooled ids are the last of each suffix', () => {
  const { prompts, pooling } = card
  expect(pooling.tokens).toBe(8)
  expect(pooledIds(card)).toEqual([...prompts.ebar.suffixIds.slice(-8), ...prompts.ebae.suffixIds.slice(-8)])
})
