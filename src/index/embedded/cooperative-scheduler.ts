/** Who goes first when several operations of one thread want to go on: searches, then writes, then upkeep. */
export type Priority = 'interactive' | 'write' | 'upkeep'

const ORDER: Priority[] = ['interactive', 'write', 'upkeep']

/** After this many turns in a row for someone more urgent, a waiting operation gets one. */
const PASSED_OVER_MAX = 8

/**
 * Lets long operations of one thread share it: each works for a bounded slice, then awaits its next turn. Between two
 * turns the event loop runs once, so that newly arrived calls are seen.
 */
export class Turns {
  readonly #waiting = new Map<Priority, (() => void)[]>(ORDER.map((priority) => [priority, []]))
  readonly #passedOver = new Map<Priority, number>(ORDER.map((priority) => [priority, 0]))
  readonly #sliceMsMax: number
  #scheduled = false

  constructor(sliceMsMax: number) {
    this.#sliceMsMax = sliceMsMax
  }

  next(priority: Priority): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.get(priority)?.push(resolve)
      this.#schedule()
    })
  }

  /** A watch for one operation: `await slice.pause()` as often as you like; it gives way only when its time is up. */
  slice(priority: Priority): Slice {
    return new Slice(this, priority, this.#sliceMsMax)
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
    return this.#waiting.get(priority) as (() => void)[]
  }

  #passed(priority: Priority): number {
    return this.#passedOver.get(priority) as number
  }
}

export class Slice {
  readonly #turns: Turns
  readonly #priority: Priority
  readonly #msMax: number
  #until: number

  constructor(turns: Turns, priority: Priority, msMax: number) {
    this.#turns = turns
    this.#priority = priority
    this.#msMax = msMax
    this.#until = performance.now() + msMax
  }

  get over(): boolean {
    return performance.now() >= this.#until
  }

  /** Gives way if the slice is over. */
  async pause(): Promise<void> {
    if (this.over) await this.yield()
  }

  async yield(): Promise<void> {
    await this.#turns.next(this.#priority)
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
