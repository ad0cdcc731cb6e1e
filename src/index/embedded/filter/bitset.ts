/** A set of slots of the vector table. */
export class Bitset {
  readonly #words: Uint32Array
  readonly length: number

  constructor(length: number, words = new Uint32Array(Math.ceil(length / 32))) {
    this.length = length
    this.#words = words
  }

  add(index: number): void {
    const word = index >>> 5
    this.#words[word] = this.#words[word]! | (1 << (index & 31))
  }

  has(index: number): boolean {
    return index < this.length && ((this.#words[index >>> 5]! >>> (index & 31)) & 1) === 1
  }

  and(other: Bitset): Bitset {
    return new Bitset(
      this.length,
      this.#words.map((word, i) => word & other.#words[i]!),
    )
  }

  or(other: Bitset): Bitset {
    return new Bitset(
      this.length,
      this.#words.map((word, i) => word | other.#words[i]!),
    )
  }

  without(other: Bitset): Bitset {
    return new Bitset(
      this.length,
      this.#words.map((word, i) => word & ~other.#words[i]!),
    )
  }

  count(): number {
    let count = 0
    for (let word of this.#words) {
      for (; word !== 0; word &= word - 1) count++
    }
    return count
  }

  /** Members in ascending order. */
  members(): Uint32Array {
    const members = new Uint32Array(this.count())
    let n = 0
    this.#words.forEach((word, i) => {
      for (let rest = word; rest !== 0; rest &= rest - 1)
        members[n++] = i * 32 + 31 - Math.clz32(rest & -rest)
    })
    return members
  }
}
