import { ServiceError } from '../errors.ts'
import type { Lane } from './lane.ts'
import { SharedCounters } from './shared-counters.ts'

/** Shortest wait named to a refused caller: one batch will have run by then. */
const RETRY_MS_MIN = 100
/** English text has about four characters a token; the guess until a text has been tokenised. */
const CHARS_PER_TOKEN = 4

const UNITS = ['texts', 'tokens', 'chars'] as const
export type Unit = (typeof UNITS)[number]
/** What texts take up in their lane's queue. */
export type Cost = Record<Unit, number>

type Counter = `${Lane} ${Unit}` | 'batches' | 'tokens' | 'padded tokens' | 'ns per token'
const COUNTERS: readonly Counter[] = [
  ...(['interactive', 'bulk'] as const).flatMap((lane) => UNITS.map((unit) => `${lane} ${unit}` as const)),
  'batches',
  'tokens',
  'padded tokens',
  'ns per token',
]

export interface QueueLimits {
  /** Texts waiting in one lane, and so in one call. */
  readonly queueTextsMax: number
  /** Tokens waiting in one lane, estimated from the characters until a text has been tokenised. */
  readonly queueTokensMax: number
  /** UTF-16 units of the texts waiting in one lane: bounds the memory of texts far longer than the model reads. */
  readonly queueCharsMax: number
}

/** Gauges of the queue and counters of what has run, for metrics. */
export interface QueueStats {
  waitingTexts: Record<Lane, number>
  /** In both lanes; estimated for texts that have not been tokenised. */
  waitingTokens: number
  /** Since start. */
  batches: number
  tokens: number
  /** Since start, padding included. */
  paddedTokens: number
}

export interface QueueAccountOptions {
  /** Whose queue it is, for messages: `encoder`. */
  name: string
  limits: QueueLimits
  /** Tokens of the longest row the model makes. */
  rowTokensMax: number
  /** Of the other thread's account. */
  buffer?: SharedArrayBuffer
}

/**
 * The account of a model's waiting work, in memory that both threads see: the thread with the callers admits, the
 * worker with the model settles. So a full queue refuses at once, also while a batch holds the worker's thread.
 */
export class QueueAccount {
  readonly #name: string
  readonly #max: Cost
  readonly #rowTokensMax: number
  readonly #counters: SharedCounters<Counter>

  constructor({ name, limits, rowTokensMax, buffer }: QueueAccountOptions) {
    this.#name = name
    this.#max = { texts: limits.queueTextsMax, tokens: limits.queueTokensMax, chars: limits.queueCharsMax }
    this.#rowTokensMax = rowTokensMax
    this.#counters = new SharedCounters(COUNTERS, buffer)
  }

  /** Goes to the other thread, which opens the same account with it. */
  get buffer(): SharedArrayBuffer {
    return this.#counters.buffer
  }

  /**
   * The ticket of a call; it takes up nothing until it is admitted. Both threads make one of the same texts: the
   * first admits it, the worker then gives back what was taken.
   *
   * @param rowsPerText runs of the model that each text takes
   */
  ticket(texts: readonly string[], lane: Lane, rowsPerText = 1): Ticket {
    const tokens = Uint32Array.from(
      texts,
      ({ length }) => rowsPerText * Math.min(this.#rowTokensMax, Math.ceil(length / CHARS_PER_TOKEN)),
    )
    return new Ticket(texts, tokens, {
      admit: (cost) => this.#admit(cost, lane),
      add: (unit, delta) => this.#counters.add(`${lane} ${unit}`, delta),
    })
  }

  /** Counts a batch that has run; by `msPerToken`, of padded tokens, refused callers learn how long to wait. */
  batchRan(rows: readonly { readonly length: number }[], msPerToken: number): void {
    const lengths = rows.map(({ length }) => length)
    this.#counters.add('batches', 1)
    this.#counters.add(
      'tokens',
      lengths.reduce((sum, length) => sum + length, 0),
    )
    this.#counters.add('padded tokens', lengths.length * Math.max(...lengths))
    this.#counters.set('ns per token', msPerToken * 1e6)
  }

  stats(): QueueStats {
    const count = (counter: Counter) => this.#counters.get(counter)
    return {
      waitingTexts: { interactive: count('interactive texts'), bulk: count('bulk texts') },
      waitingTokens: count('interactive tokens') + count('bulk tokens'),
      batches: count('batches'),
      tokens: count('tokens'),
      paddedTokens: count('padded tokens'),
    }
  }

  #admit(cost: Cost, lane: Lane): void {
    const excess = UNITS.find((unit) => cost[unit] > this.#max[unit])
    if (excess) throw tooLarge(excess, cost[excess], this.#max[excess])
    const waiting = (unit: Unit) => this.#counters.get(`${lane} ${unit}`)
    if (UNITS.some((unit) => waiting(unit) + cost[unit] > this.#max[unit])) throw this.#full(lane)
    for (const unit of UNITS) this.#counters.add(`${lane} ${unit}`, cost[unit])
  }

  /** Come back when all that waits has run, at the rate measured lately. */
  #full(lane: Lane): ServiceError {
    const drainMs = (this.stats().waitingTokens * this.#counters.get('ns per token')) / 1e6
    const retryAfterMs = Math.max(RETRY_MS_MIN, Math.ceil(drainMs))
    const message = `The ${this.#name} queue is full; try again in ${retryAfterMs} ms.`
    return new ServiceError('OVERLOADED', message, { retryAfterMs, lane })
  }
}

/** What a ticket does to its account. */
interface Entries {
  /** Takes places for all of a cost, or none. */
  admit(cost: Cost): void
  add(unit: Unit, delta: number): void
}

/** What one call takes up in its lane, text by text. */
export class Ticket {
  readonly #texts: readonly string[]
  /** Of each text, waiting: estimated, then real. */
  readonly #tokens: Uint32Array
  /** 1 for each text that has left the queue. */
  readonly #left: Uint8Array
  readonly #entries: Entries
  #waiting: number

  /** Use `QueueAccount.ticket`. */
  constructor(texts: readonly string[], estimatedTokens: Uint32Array, entries: Entries) {
    this.#texts = texts
    this.#tokens = estimatedTokens
    this.#left = new Uint8Array(texts.length)
    this.#entries = entries
    this.#waiting = texts.length
  }

  /** Texts that have not left the queue. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Takes places in the queue for all texts, or none.
   *
   * @throws ServiceError TOO_LARGE (`limit`) for a call that would not fit into an empty queue, OVERLOADED
   *   (`retryAfterMs`, `lane`) for one that does not fit now
   */
  admit(): void {
    this.#entries.admit(this.cost)
  }

  /** What the call takes up before any of it is tokenised. */
  get cost(): Cost {
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)
    return {
      texts: this.#texts.length,
      tokens: sum(this.#tokens),
      chars: sum(this.#texts.map(({ length }) => length)),
    }
  }

  /** `tokens` of text `index` wait: in the place of the estimate once it is tokenised, less as rows of it start. */
  correct(index: number, tokens: number): void {
    if (this.#left[index]) return
    this.#entries.add('tokens', tokens - this.#tokens[index]!)
    this.#tokens[index] = tokens
  }

  /** Text `index` leaves the queue, because the last of its rows starts. */
  release(index: number): void {
    if (this.#left[index]) return
    this.#left[index] = 1
    this.#waiting--
    this.#entries.add('texts', -1)
    this.#entries.add('tokens', -this.#tokens[index]!)
    this.#entries.add('chars', -this.#texts[index]!.length)
  }

  /** All other texts leave the queue, because their call has failed. */
  releaseRest(): void {
    for (let index = 0; index < this.#left.length; index++) this.release(index)
  }
}

function tooLarge(unit: Unit, count: number, limit: number): ServiceError {
  // Nothing has been tokenised yet: tokens are an estimate.
  const held = unit === 'tokens' ? `about ${count}` : count
  const message = `A call may hold at most ${limit} ${unit === 'chars' ? 'characters' : unit}; this one has ${held}. Send it in parts.`
  return new ServiceError('TOO_LARGE', message, { limit })
}
