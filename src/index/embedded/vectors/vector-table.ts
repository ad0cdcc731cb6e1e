/** Vectors in one block: keeps allocations a few megabytes each, so that growing never copies what is there. */
const BLOCK_ROWS = 4096
/** The first block begins small and is doubled: a collection of a few documents takes little. */
const FIRST_ROWS = 64

/**
 * The live vectors in memory, for exact scoring: 15 times quicker than reading them from the database. A row is a
 * slot; slots of removed vectors are used again, labels never are. A document is named by its first passage's label.
 */
export class VectorTable {
  readonly dimensions: number
  readonly #blocks: Float32Array[] = []
  readonly #slots = new Map<number, number>()
  readonly #free: number[] = []
  #labels = new Uint32Array(FIRST_ROWS)
  #keys = new Uint32Array(FIRST_ROWS)
  #documents = 0
  #end = 0
  #version = 0
  #newest = 0

  constructor(dimensions: number) {
    this.dimensions = dimensions
  }

  /** Passages. */
  get size(): number {
    return this.#slots.size
  }

  get documents(): number {
    return this.#documents
  }

  /** Slots in use are below this. */
  get end(): number {
    return this.#end
  }

  /** Changes with every change of a document: what was read slice by slice is whole only if this stayed the same. */
  get version(): number {
    return this.#version
  }

  /** The highest label so far: what comes later has a higher one. */
  get newest(): number {
    return this.#newest
  }

  has(label: number): boolean {
    return this.#slots.has(label)
  }

  slot(label: number): number | undefined {
    return this.#slots.get(label)
  }

  /** The label in a slot; 0 (never a label) where there is none. */
  label(slot: number): number {
    return this.#labels[slot]!
  }

  /** The key of the document that the passage in a slot belongs to. */
  document(slot: number): number {
    return this.#keys[slot]!
  }

  labels(): Uint32Array {
    return Uint32Array.from(this.#slots.keys())
  }

  /** Keys of all documents. */
  documentKeys(): number[] {
    const keys: number[] = []
    for (const [label, slot] of this.#slots) if (this.#keys[slot] === label) keys.push(label)
    return keys.sort((a, b) => a - b)
  }

  /** Labels of a document's passages, in the order of the text; none where there is no such document. */
  labelsOf(document: number): number[] {
    const labels: number[] = []
    for (let label = document; ; label++) {
      const slot = this.#slots.get(label)
      if (slot === undefined || this.#keys[slot] !== document) return labels
      labels.push(label)
    }
  }

  /** @param document its key: `label` itself for a first passage */
  add(label: number, document: number, vector: Float32Array): void {
    const slot = this.#free.pop() ?? this.#end++
    this.#blockFor(slot).set(vector, (slot % BLOCK_ROWS) * this.dimensions)
    if (slot >= this.#labels.length) {
      this.#labels = doubled(this.#labels)
      this.#keys = doubled(this.#keys)
    }
    this.#labels[slot] = label
    this.#keys[slot] = document
    this.#slots.set(label, slot)
    if (label === document) this.#documents++
    this.#newest = Math.max(this.#newest, label)
    this.#version++
  }

  /** The block of a slot, with room for it. */
  #blockFor(slot: number): Float32Array {
    const number = Math.floor(slot / BLOCK_ROWS)
    const known = this.#blocks[number]
    if (known && (number > 0 || slot * this.dimensions < known.length)) return known
    const rows = number > 0 ? BLOCK_ROWS : Math.max(FIRST_ROWS, Math.min(BLOCK_ROWS, slot * 2))
    const block = new Float32Array(rows * this.dimensions)
    if (known) block.set(known)
    this.#blocks[number] = block
    return block
  }

  remove(label: number): void {
    const slot = this.#slots.get(label)
    if (slot === undefined) return
    if (this.#keys[slot] === label) this.#documents--
    this.#slots.delete(label)
    this.#labels[slot] = 0
    this.#free.push(slot)
    this.#version++
  }

  /** For changes of documents that leave their vectors as they are. */
  changed(): void {
    this.#version++
  }

  /** A view, valid until the vector is removed. */
  vector(slot: number): Float32Array {
    const offset = (slot % BLOCK_ROWS) * this.dimensions
    return this.block(slot).subarray(offset, offset + this.dimensions)
  }

  /** The block that holds a slot, and where in it the row begins: for scoring without making views. */
  block(slot: number): Float32Array {
    return this.#blocks[Math.floor(slot / BLOCK_ROWS)]!
  }

  offset(slot: number): number {
    return (slot % BLOCK_ROWS) * this.dimensions
  }
}

function doubled(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
