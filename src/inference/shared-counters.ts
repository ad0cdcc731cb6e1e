/** Whole numbers by name, in memory that several threads see. */
export class SharedCounters<Name extends string> {
  /** Goes to the other thread, which opens the same counters with it. */
  readonly buffer: SharedArrayBuffer
  readonly #cells: BigInt64Array
  readonly #names: readonly Name[]

  /** @param buffer of the other thread's counters with the same names; without it all start at 0 */
  constructor(
    names: readonly Name[],
    buffer = new SharedArrayBuffer(names.length * BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.buffer = buffer
    this.#cells = new BigInt64Array(buffer)
    this.#names = names
  }

  get(name: Name): number {
    return Number(Atomics.load(this.#cells, this.#names.indexOf(name)))
  }

  set(name: Name, value: number): void {
    Atomics.store(this.#cells, this.#names.indexOf(name), BigInt(Math.round(value)))
  }

  add(name: Name, delta: number): void {
    Atomics.add(this.#cells, this.#names.indexOf(name), BigInt(delta))
  }
}
