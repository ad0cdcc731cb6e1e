import { ServiceError } from '../../errors.ts'

/** Who goes first when several operations of one thread want to go on: searches, then writes, then upkeep. */
export type Priority = 'interactive' | 'write' | 'upkeep'

const ORDER: Priority[] = ['interactive', 'write', 'upkeep']

/** After this many turns in a row for someone more urgent, a waiting operation gets one. */
const PASSED_OVER_MAX = 8

/**
 * Lets long operations of one thread share it: each works for a bounded time slice, then awaits its next turn.
 * Between two turns the event loop runs once, so that newly arrived calls and aborts are seen.
 */
export class CooperativeScheduler {
  readonly #waiting = new Map<Priority, (() => void)[]>(ORDER.map((priority) => [priority, []]))
  readonly #passedOver = new Map<Priority, number>(ORDER.map((priority) => [priority, 0]))
  readonly #sliceMsMax: number
  #scheduled = false

  constructor(sliceMsMax: number) {
    this.#sliceMsMax = sliceMsMax
  }

  /** Resolves when it is this operation's turn. */
  next(priority: Priority): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.get(priority)!.push(resolve)
      this.#schedule()
    })
  }

  /**
   * A watch for one operation: `await slice.pause()` as often as you like; it gives way only when its time is up.
   *
   * @param signal ends the operation at its next turn
   */
  slice(priority: Priority, signal?: AbortSignal): TimeSlice {
    return new TimeSlice(this, priority, this.#sliceMsMax, signal)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#pick()?.()
      if (ORDER.some((priority) => this.#queue(priority).length > 0)) this.#schedule()
    })
  }

  #pick(): (() => void) | undefined {
    const waiting = ORDER.filter((priority) => this.#queue(priority).length > 0)
    const starved = waiting.find((priority) => this.#passed(priority) >= PASSED_OVER_MAX)
    const chosen = starved ?? waiting[0]
    if (!chosen) return undefined
    for (const priority of waiting) {
      this.#passedOver.set(priority, priority === chosen ? 0 : this.#passed(priority) + 1)
    }
    return this.#queue(chosen).shift()
  }

  #queue(priority: Priority): (() => void)[] {
    return this.#waiting.get(priority)!
  }

  #passed(priority: Priority): number {
    return this.#passedOver.get(priority)!
  }
}

export class TimeSlice {
  readonly #scheduler: CooperativeScheduler
  readonly #priority: Priority
  readonly #msMax: number
  readonly #signal: AbortSignal | undefined
  #until: number

  constructor(
    scheduler: CooperativeScheduler,
    priority: Priority,
    msMax: number,
    signal: AbortSignal | undefined,
  ) {
    this.#scheduler = scheduler
    this.#priority = priority
    this.#msMax = msMax
    this.#signal = signal
    this.#until = performance.now() + msMax
  }

  get over(): boolean {
    return performance.now() >= this.#until
  }

  /** Gives way if the slice is over. @throws ServiceError ABORTED when the caller has given up */
  async pause(): Promise<void> {
    if (this.over) await this.yield()
  }

  /** Gives way. @throws ServiceError ABORTED when the caller has given up */
  async yield(): Promise<void> {
    await this.#scheduler.next(this.#priority)
    if (this.#signal?.aborted) throw new ServiceError('ABORTED', 'The request was abandoned.')
    this.#until = performance.now() + this.#msMax
  }
}

/** One at a time, in the order of asking. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }
}
