import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { Encoder, Prompt } from '../../src/encoder/encoder.ts'

/** What the suite asks of an opener; an implementation maps these to its own limits. */
export interface ContractLimits {
  /** Padded tokens of a batch, so that a few texts make many batches. */
  batchTokensMax?: number
  /** Texts waiting in a lane. */
  queueTextsMax?: number
}

export interface EncoderSubject {
  open(limits?: ContractLimits): Promise<Encoder>
  /** A word that is one token in the middle of a text. */
  word: string
  /** Spellings of the model's special tokens. */
  specialTokens: string[]
}

/** Padded tokens that no two rows of these tests have room in. */
const ONE_ROW = 16
const PROMPTS: Prompt[] = ['ebar', 'ebae']
const MIXED = [
  'Why do leaves turn red?',
  'x',
  'A lighthouse keeper wrote down the weather every evening.',
  'naïve 東京 🙂',
  'leaves',
]

/** What every encoder promises, whatever runs inside. */
export function encoderContract(name: string, subject: EncoderSubject): void {
  const opened: Encoder[] = []
  const open = async (limits?: ContractLimits) => {
    const encoder = await subject.open(limits)
    opened.push(encoder)
    return encoder
  }
  const once = (limits?: ContractLimits) => {
    let shared: Promise<Encoder> | undefined
    return () => {
      shared ??= open(limits)
      return shared
    }
  }
  const sharing = once()
  /** One row a batch, and a small queue. */
  const sharingNarrow = once({ batchTokensMax: ONE_ROW, queueTextsMax: 1000 })
  afterAll(async () => {
    for (const encoder of opened) await encoder.close()
  })

  describe(`encoder contract: ${name}`, () => {
    test('gives unit vectors of the card’s dimensions, in order', async () => {
      const encoder = await sharing()
      for (const prompt of PROMPTS) {
        const result = await encoder.encode(MIXED, [prompt])
        const { tokens, truncated } = result
        expect(Object.keys(result.vectors)).toEqual([prompt])
        const vectors = result.vectors[prompt]
        expect(vectors).toHaveLength(MIXED.length)
        expect(tokens).toHaveLength(MIXED.length)
        expect([...truncated]).toEqual(MIXED.map(() => 0))
        for (const vector of vectors) {
          expect(vector).toHaveLength(encoder.card.dimensions)
          expect(dot(vector, vector)).toBeCloseTo(1, 5)
        }
        const reversed = await encoder.encode([...MIXED].reverse(), [prompt])
        expectSame(reversed.vectors[prompt].reverse(), vectors)
        expect([...reversed.tokens].reverse()).toEqual([...tokens])
      }
    })

    test('an empty list gives an empty result', async () => {
      const encoder = await sharing()
      const one = await encoder.encode([], ['ebar'])
      expect(one).toMatchObject({ vectors: { ebar: [] }, tokens: new Uint32Array(0) })
      const both = await encoder.encode([], ['ebar', 'ebae'])
      expect(both.vectors).toEqual({ ebar: [], ebae: [] })
    })

    test('a text alone equals the text in a mixed batch', async () => {
      const encoder = await sharing()
      for (const prompt of PROMPTS) {
        const { vectors } = await encoder.encode(MIXED, [prompt])
        for (const [i, text] of MIXED.entries()) {
          const alone = await encoder.encode([text], [prompt])
          expect(dot(alone.vectors[prompt][0]!, vectors[prompt][i]!)).toBeGreaterThan(0.9999)
        }
      }
    })

    test('the two prompts give different vectors', async () => {
      const encoder = await sharing()
      const { ebar } = (await encoder.encode(MIXED, ['ebar'])).vectors
      const { ebae } = (await encoder.encode(MIXED, ['ebae'])).vectors
      for (const i of MIXED.keys()) expect(dot(ebar[i]!, ebae[i]!)).toBeLessThan(0.999)
    })

    test('the joint pass equals two separate ones', async () => {
      const encoder = await sharing()
      const alone = {
        ...(await encoder.encode(MIXED, ['ebar'])).vectors,
        ...(await encoder.encode(MIXED, ['ebae'])).vectors,
      }
      const orders: Prompt[][] = [
        ['ebar', 'ebae'],
        ['ebae', 'ebar'],
      ]
      for (const prompts of orders) {
        const { vectors, tokens, truncated } = await encoder.encode(MIXED, prompts)
        expect(Object.keys(vectors).sort()).toEqual(['ebae', 'ebar'])
        for (const prompt of PROMPTS) expectSame(vectors[prompt], alone[prompt])
        expect([tokens.length, truncated.length]).toEqual([MIXED.length, MIXED.length])
      }
    })

    test.each<{ what: string; prompts: Prompt[] }>([
      { what: 'no prompt', prompts: [] },
      { what: 'one prompt twice', prompts: ['ebar', 'ebar'] },
      { what: 'three', prompts: ['ebar', 'ebae', 'ebar'] },
      { what: 'an unknown one', prompts: ['query' as Prompt] },
    ])('$what is a mistake of the caller', async ({ prompts }) => {
      const encoder = await sharing()
      await expect(encoder.encode(['x'], prompts)).rejects.toThrow(TypeError)
    })

    test('texts over the limit are cut at their end and reported', async () => {
      const encoder = await sharing()
      for (const prompt of PROMPTS) {
        const fitting = await longestFitting(encoder, subject.word, prompt)
        const texts = [fitting, `${fitting} ${subject.word} and more`, `${fitting} otherwise`.repeat(50)]
        const { vectors, tokens, truncated } = await encoder.encode(texts, [prompt])
        expect([...truncated]).toEqual([0, 1, 1])
        expect([...tokens]).toEqual(texts.map(() => encoder.card.maxTokens[prompt]))
        expectSame([vectors[prompt][1]!], [vectors[prompt][0]!])
      }
    })

    test('with truncate: error a text over the limit fails its call', async () => {
      const encoder = await sharing()
      const fitting = await longestFitting(encoder, subject.word, 'ebae')
      await encoder.encode([fitting], ['ebae'], { truncate: 'error' })
      const { batches } = await encoder.stats()
      await expect(
        encoder.encode(['x', `${fitting} ${subject.word}`], ['ebae'], { truncate: 'error' }),
      ).rejects.toMatchObject({ code: 'TEXT_TOO_LONG', details: { index: 1 } })
      expect((await encoder.stats()).batches).toBe(batches)
    })

    test('special tokens in a text stay text', async () => {
      const encoder = await sharing()
      const plain = await encoder.encode(['a  b'], ['ebae'])
      for (const special of subject.specialTokens) {
        const { tokens, vectors } = await encoder.encode([`a ${special} b`, special], ['ebae'])
        // One token would be the special one; spelled out it takes several.
        expect(tokens[0]! - plain.tokens[0]!).toBeGreaterThan(1)
        expect(vectors.ebae).toHaveLength(2)
      }
    })

    test.each([
      ['an empty one', ''],
      ['white space', ' \n\t\u00a0'],
      ['half a surrogate pair', 'a\ud83d b'],
      ['control characters', '\0\u0007'],
    ])('any string is embedded: %s', async (_, text) => {
      const encoder = await sharing()
      for (const truncate of ['end', 'error'] as const) {
        const { vectors, tokens, truncated } = await encoder.encode(['x', text], PROMPTS, { truncate })
        expect([...truncated]).toEqual([0, 0])
        expect(tokens[1]).toBeGreaterThan(0)
        for (const prompt of PROMPTS) {
          expect(dot(vectors[prompt][1]!, vectors[prompt][1]!)).toBeCloseTo(1, 5)
          const alone = await encoder.encode([text], [prompt])
          expectSame(alone.vectors[prompt], [vectors[prompt][1]!])
        }
      }
    })

    test('an empty text costs its prompt alone, half a surrogate pair is U+FFFD', async () => {
      const encoder = await sharing()
      const { tokens, vectors } = await encoder.encode(['', 'x', 'a\ud83d', 'a\ufffd'], ['ebae'])
      expect(tokens[0]).toBeLessThan(tokens[1]!)
      expectSame([vectors.ebae[2]!], [vectors.ebae[3]!])
    })

    test('an aborted call costs no batch', async () => {
      const encoder = await sharingNarrow()
      const { batches } = await encoder.stats()
      const before = AbortSignal.abort()
      await expect(encoder.encode(['x'], ['ebar'], { signal: before })).rejects.toMatchObject({
        code: 'ABORTED',
      })
      const first = encoder.encode(new Array(200).fill('leaves turn red'), ['ebar'])
      const later = new AbortController()
      const second = encoder.encode(new Array(50).fill('x'), ['ebar'], { signal: later.signal })
      later.abort()
      await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
      await first
      expect((await encoder.stats()).batches - batches).toBe(200)
      expect(await encoder.stats()).toMatchObject({ waitingTexts: { bulk: 0 }, waitingTokens: 0 })
    })

    test('an interactive call overtakes bulk work', async () => {
      const encoder = await sharingNarrow()
      const { batches } = await encoder.stats()
      const order: string[] = []
      const bulk = encoder.encode(new Array(1000).fill('leaves turn red'), ['ebae']).then(() => {
        order.push('bulk')
      })
      while ((await encoder.stats()).batches === batches) await sleep(1)
      for (let i = 0; i < 3; i++) {
        await encoder.encode(['x'], ['ebar'], { lane: 'interactive' })
        order.push('interactive')
      }
      await bulk
      expect(order).toEqual(['interactive', 'interactive', 'interactive', 'bulk'])
    })

    test('a full queue refuses at once, says when to come back, and drains', async () => {
      const encoder = await sharingNarrow()
      const texts = new Array(500).fill('leaves turn red')
      const outcomes = Array.from({ length: 20 }, () => encoder.encode(texts, ['ebae']))
      const interactive = encoder.encode(['x'], ['ebar'], { lane: 'interactive' })
      expect((await encoder.stats()).waitingTexts.bulk).toBeLessThanOrEqual(1000)
      const settled = await Promise.allSettled(outcomes)
      expect(settled[0]).toMatchObject({ status: 'fulfilled' })
      const refused = settled.filter((outcome) => outcome.status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const { reason } of refused) {
        expect(reason.code).toBe('OVERLOADED')
        expect(reason.details).toMatchObject({ retryAfterMs: expect.any(Number), lane: 'bulk' })
        expect(reason.details.retryAfterMs).toBeGreaterThan(0)
        expect(reason.message).toContain(`try again in ${reason.details.retryAfterMs} ms`)
      }
      await interactive
      expect((await encoder.encode(texts, ['ebae'])).vectors.ebae).toHaveLength(500)
      expect((await encoder.stats()).waitingTexts).toEqual({ interactive: 0, bulk: 0 })
      expect((await encoder.stats()).waitingTokens).toBe(0)
    })

    test('a call larger than the queue is refused for good, not queued', async () => {
      const encoder = await sharingNarrow()
      await expect(encoder.encode(new Array(1001).fill('x'), ['ebae'])).rejects.toMatchObject({
        code: 'TOO_LARGE',
        details: { limit: 1000 },
        message: expect.stringContaining('at most 1000 texts; this one has 1001'),
      })
      expect(await encoder.stats()).toMatchObject({ waitingTexts: { bulk: 0 }, waitingTokens: 0 })
    })

    test('many calls at once each get their own rows', async () => {
      const encoder = await sharingNarrow()
      const expected = await encoder.encode(MIXED, ['ebae'])
      const results = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          encoder.encode([MIXED[i % MIXED.length]!], ['ebae'], { lane: i % 2 ? 'bulk' : 'interactive' }),
        ),
      )
      results.forEach(({ vectors }, i) => {
        expectSame(vectors.ebae, [expected.vectors.ebae[i % MIXED.length]!])
      })
    })

    test('counts what it ran', async () => {
      const encoder = await sharing()
      const before = await encoder.stats()
      const { tokens } = await encoder.encode(MIXED, ['ebar'])
      const load = await encoder.stats()
      const ran = load.tokens - before.tokens
      expect(ran).toBe(tokens.reduce((sum, n) => sum + n))
      expect(load.paddedTokens - before.paddedTokens).toBeGreaterThanOrEqual(ran)
      expect(load.batches).toBeGreaterThan(before.batches)
    })

    test('closing rejects what waits and what comes, and may be repeated', async () => {
      const encoder = await open({ batchTokensMax: ONE_ROW })
      const waiting = encoder.encode(new Array(2000).fill('leaves turn red'), ['ebae'])
      const outcome = expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      const deaths: unknown[] = []
      encoder.onDeath((error) => deaths.push(error))
      const closing = encoder.close()
      await expect(encoder.encode(['x'], ['ebar'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await expect(encoder.encode([], ['ebar'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await closing
      await outcome
      await encoder.close()
      // An end that was asked for is no death.
      expect(deaths).toEqual([])
    })
  })
}

/** The longest text of one repeated word that is not cut. */
async function longestFitting(encoder: Encoder, word: string, prompt: Prompt): Promise<string> {
  const texts = Array.from({ length: encoder.card.maxTokens[prompt] }, (_, i) =>
    new Array(i + 1).fill(word).join(' '),
  )
  const { tokens, truncated } = await encoder.encode(texts, [prompt])
  const last = truncated.indexOf(1) - 1
  expect(tokens[last]).toBe(encoder.card.maxTokens[prompt])
  return texts[last]!
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

function expectSame(actual: Float32Array[], expected: Float32Array[]): void {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((vector, row) => {
    const largest = Math.max(...vector.map((value, i) => Math.abs(value - expected[row]![i]!)))
    expect(largest).toBeLessThan(1e-4)
  })
}
