import { expect, test } from 'vitest'
import { TokenizeStage } from '../../src/inference/tokenize-stage.ts'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'
import { llama2Like } from '../model/tokenizer-fixtures.ts'

const tokenizer = BodyTokenizer.load(llama2Like())
const TOKENS_MAX = 8

/** Tokenises texts in one stage: which were answered, in order, with how many tokens. */
async function tokenise(texts: string[], wanted: (index: number) => boolean = () => true) {
  const answers: { index: number; tokens: number; truncated: boolean }[] = []
  await new Promise<void>((resolve) => {
    const stage: TokenizeStage = new TokenizeStage(tokenizer, TOKENS_MAX, () => {
      if (!stage.busy) resolve()
    })
    stage.add(
      texts.map((text, index) => ({
        text,
        wanted: () => wanted(index),
        done: ({ ids, truncated }) => answers.push({ index, tokens: ids.length, truncated }),
        failed: () => answers.push({ index, tokens: -1, truncated: false }),
      })),
    )
    expect(stage.busy).toBe(true)
  })
  return answers
}

test('texts are answered in order, over as many trips as it takes', async () => {
  const texts = Array.from({ length: 2500 }, (_, i) => 'x'.repeat(1 + (i % 100)))
  const answers = await tokenise(texts)
  expect(answers.map(({ index }) => index)).toEqual([...texts.keys()])
  for (const { index, tokens, truncated } of answers) {
    expect(tokens).toBeLessThanOrEqual(TOKENS_MAX)
    expect(truncated).toBe(texts[index]!.length >= TOKENS_MAX)
  }
})

test('empty texts come to an end', async () => {
  expect(await tokenise(['', ''])).toEqual([
    { index: 0, tokens: 0, truncated: false },
    { index: 1, tokens: 0, truncated: false },
  ])
})

test('texts nobody wants any more are skipped', async () => {
  const answers = await tokenise(['a', 'b', 'c'], (index) => index !== 1)
  expect(answers.map(({ index }) => index)).toEqual([0, 2])
})

test('a tokenizer that fails fails the texts of its trip, and the next ones are tokenised', async () => {
  let trips = 0
  const failingFirst = {
    encodeStart: async (texts: readonly string[], tokensMax: number) => {
      if (++trips === 1) throw new Error('a fault')
      return tokenizer.encodeStart(texts, tokensMax)
    },
  }
  const outcomes: string[] = []
  await new Promise<void>((resolve) => {
    const stage: TokenizeStage = new TokenizeStage(failingFirst, TOKENS_MAX, () => {
      if (!stage.busy) resolve()
    })
    const job = {
      text: 'x'.repeat(50_000),
      wanted: () => true,
      done: () => outcomes.push('done'),
      failed: (error: unknown) => outcomes.push((error as Error).message),
    }
    stage.add([job, job])
  })
  expect(outcomes).toEqual(['a fault', 'done'])
})
