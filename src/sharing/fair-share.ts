/**
 * Divides a limited number of places (or bytes) among clients, so that none can take all of it while nobody has to
 * wait for what is free. What a client may hold shrinks with what is left: alone it gets `sharePercent` of all; of
 * several, each gets less, and some room always stays for a newcomer. A client that holds nothing may take anything
 * that is free.
 */
export class FairShare {
  readonly max: number
  readonly #percent: number
  readonly #held = new Map<string, number>()
  #total = 0

  /** @param sharePercent of `max` for a client on its own; 100 lets one client have all */
  constructor(max: number, sharePercent: number) {
    this.max = max
    this.#percent = sharePercent
  }

  /** Held by all clients. */
  get total(): number {
    return this.#total
  }

  /** What a client holds. */
  held(client: string): number {
    return this.#held.get(client) ?? 0
  }

  /**
   * Whether a client may take `amount` now.
   *
   * @param spared of what it holds, not counted as held: what was taken for the same purpose and must be able to grow
   */
  mayTake(client: string, amount = 1, spared = 0): boolean {
    const free = this.max - this.#total - amount
    if (free < 0) return false
    const others = this.held(client) - spared
    // Alone: held <= percent of max. That is held * (100 - percent) <= free * percent, which holds for several, too.
    return others <= 0 || (others + spared + amount) * (100 - this.#percent) <= free * this.#percent
  }

  /** Takes `amount` if the client may have it. */
  take(client: string, amount = 1, spared = 0): boolean {
    if (!this.mayTake(client, amount, spared)) return false
    this.#add(client, amount)
    return true
  }

  /** Gives back what was taken. */
  give(client: string, amount = 1): void {
    this.#add(client, -amount)
  }

  #add(client: string, amount: number): void {
    const held = this.held(client) + amount
    this.#total += amount
    if (held > 0) this.#held.set(client, held)
    else this.#held.delete(client)
  }
}
