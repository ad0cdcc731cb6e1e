import { expect } from 'vitest'
import type { Reranker } from '../../../src/reranker/reranker.ts'

/** What the suite asks of an opener; an implementation maps these to its own limits. */
export interface ContractLimits {
  /** Padded tokens of a batch, so that a few texts make many batches. */
  batchTokensMax?: number
  /** Texts waiting in a lane. */
  queueTextsMax?: number
}

export interface RerankerSubject {
  open(limits?: ContractLimits): Promise<Reranker>
  /** A word that is one token in the middle of a text. */
  word: string
  /** Spellings of the model's special tokens. */
  specialTokens: string[]
}

/** What the tests of one subject share. */
export interface Bench extends Pick<RerankerSubject, 'word' | 'specialTokens'> {
  /** Opened once for all tests. */
  sharing(): Promise<Reranker>
  /** The same, with one row a batch and a queue of 100 texts. */
  sharingNarrow(): Promise<Reranker>
  /** A new one; closed at the end. */
  open(limits?: ContractLimits): Promise<Reranker>
}

/** Padded tokens that no two rows of these tests have room in. */
export const ONE_ROW = 16
export const QUERY = 'Why do leaves turn red?'
export const MIXED = [
  'Leaves turn red when the nights grow cold.',
  'x',
  'A lighthouse keeper wrote down the weather every evening.',
  'naïve 東京 🙂',
  '',
]

export function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual).toHaveLength(expected.length)
  const differences = Array.from(actual, (score, i) => Math.abs(score - expected[i]!))
  expect(Math.max(0, ...differences)).toBeLessThan(1e-4)
}
