import { expect } from 'vitest'
import type { Encoder, Prompt } from '../../../src/encoder/encoder.ts'

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

/** What the tests of one subject share. */
export interface Bench extends Pick<EncoderSubject, 'word' | 'specialTokens'> {
  /** Opened once for all tests. */
  sharing(): Promise<Encoder>
  /** The same, with one row a batch and a queue of 1000 texts. */
  sharingNarrow(): Promise<Encoder>
  /** A new one; closed at the end. */
  open(limits?: ContractLimits): Promise<Encoder>
}

/** Padded tokens that no two rows of these tests have room in. */
export const ONE_ROW = 16
export const PROMPTS: Prompt[] = ['ebar', 'ebae']
export const MIXED = [
  'Why do leaves turn red?',
  'x',
  'A lighthouse keeper wrote down the weather every evening.',
  'naïve 東京 🙂',
  'leaves',
]

export function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

export function expectSame(actual: Float32Array[], expected: Float32Array[]): void {
  expect(actual).toHaveLength(expected.length)
  actual.forEach((vector, row) => {
    const largest = Math.max(...vector.map((value, i) => Math.abs(value - expected[row]![i]!)))
    expect(largest).toBeLessThan(1e-4)
  })
}
