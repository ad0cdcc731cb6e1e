/**
 * Whose work comes next where several clients wait in one lane: start-time fair queueing. A row's turn lies as far
 * behind the client's row before it as that one has tokens, so a client that has asked for much waits behind its own
 * work and hardly behind anybody else's. One client alone is served in order of arrival.
 */
export class FairOrder {
  /** Turn of the row that runs; nothing new comes before it. */
  #now = 0
  /** Where each client's next row begins; whoever is behind `#now` has nothing waiting. */
  readonly #next = new Map<string, number>()

  /** The turn, in tokens, of a client's next row of `tokens`. */
  turnOf(client: string, tokens: number): number {
    const turn = Math.max(this.#now, this.#next.get(client) ?? 0)
    this.#next.set(client, turn + tokens)
    return turn
  }

  /** The row with this turn runs now. */
  reached(turn: number): void {
    this.#now = Math.max(this.#now, turn)
    for (const [client, next] of this.#next) if (next <= this.#now) this.#next.delete(client)
  }

  /** Nothing waits: what clients asked for before, and may have given up, counts no longer. */
  reset(): void {
    this.#now = 0
    this.#next.clear()
  }
}
