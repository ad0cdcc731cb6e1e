import type { EncoderLoad, Lane } from '../encoder/encoder.ts'
import type { QueueCost } from './limits.ts'

const FIELDS = [
  'interactiveTexts',
  'bulkTexts',
  'interactiveTokens',
  'bulkTokens',
  'interactiveChars',
  'bulkChars',
  'batches',
  'tokens',
  'paddedTokens',
  /** Nanoseconds a padded token takes, lately. */
  'tokenNs',
] as const

type Field = (typeof FIELDS)[number]

/**
 * The queue's gauges in memory that both threads see. The face admits (adds) and the worker releases (subtracts),
 * so a full queue is refused at once, also while a batch holds the worker's thread.
 */
export class LoadCounters {
  readonly buffer: SharedArrayBuffer
  readonly #cells: BigInt64Array

  constructor(buffer = new SharedArrayBuffer(FIELDS.length * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer
    this.#cells = new BigInt64Array(buffer)
  }

  get(field: Field): number {
    return Number(Atomics.load(this.#cells, FIELDS.indexOf(field)))
  }

  set(field: Field, value: number): void {
    Atomics.store(this.#cells, FIELDS.indexOf(field), BigInt(Math.round(value)))
  }

  add(field: Field, delta: number): void {
    Atomics.add(this.#cells, FIELDS.indexOf(field), BigInt(delta))
  }

  /** What waits in a lane. */
  waiting(lane: Lane): QueueCost {
    return {
      texts: this.get(`${lane}Texts`),
      tokens: this.get(`${lane}Tokens`),
      chars: this.get(`${lane}Chars`),
    }
  }

  /** Puts `cost` on a lane's queue, or with `sign` -1 takes it off. */
  queue(lane: Lane, cost: QueueCost, sign: 1 | -1 = 1): void {
    this.add(`${lane}Texts`, sign * cost.texts)
    this.add(`${lane}Tokens`, sign * cost.tokens)
    this.add(`${lane}Chars`, sign * cost.chars)
  }

  /** Milliseconds until all that waits has run, at the rate measured lately. */
  drainMs(): number {
    return (this.load().waitingTokens * this.get('tokenNs')) / 1e6
  }

  load(): EncoderLoad {
    return {
      waitingTexts: { interactive: this.get('interactiveTexts'), bulk: this.get('bulkTexts') },
      waitingTokens: this.get('interactiveTokens') + this.get('bulkTokens'),
      batches: this.get('batches'),
      tokens: this.get('tokens'),
      paddedTokens: this.get('paddedTokens'),
    }
  }
}
