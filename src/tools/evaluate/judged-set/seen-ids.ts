/** One set of V8's holds 2^24 values at most, and a corpus may have more documents. */
const PARTS = 64

/** Which ids have come by. */
export class SeenIds {
  readonly #parts = Array.from({ length: PARTS }, () => new Set<string>())

  /** @returns false where the id has been there before */
  add(id: string): boolean {
    let sum = 0
    for (let i = 0; i < id.length; i++) sum = (Math.imul(sum, 31) + id.charCodeAt(i)) | 0
    const part = this.#parts[sum & (PARTS - 1)]!
    const before = part.size
    return part.add(id).size > before
  }
}
