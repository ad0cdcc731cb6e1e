import hnswlib from 'hnswlib-node'

export interface HnswParameters {
  dimensions: number
  m: number
  efConstruction: number
}

/** One step of growth, as a part of what is there. */
const GROWTH = 0.5
const CAPACITY_MIN = 1024
const LABEL_MAX = 0xffff_ffff
/** Levels are drawn from this seed: the same inserts give the same graph. */
const SEED = 100

/**
 * A graph of unit vectors by inner product: M. Malkov, D. Yashunin, "Efficient and robust approximate nearest neighbor
 * search using Hierarchical Navigable Small World graphs" (2016). The native code ends the process on some misuse, so
 * everything is checked here before it is called. One thread only.
 */
export class HnswGraph {
  readonly parameters: HnswParameters
  #index: hnswlib.HierarchicalNSW

  private constructor(parameters: HnswParameters, index: hnswlib.HierarchicalNSW) {
    this.parameters = parameters
    this.#index = index
  }

  static empty(parameters: HnswParameters, capacity = CAPACITY_MIN): HnswGraph {
    const index = new hnswlib.HierarchicalNSW('ip', parameters.dimensions)
    index.initIndex(Math.max(CAPACITY_MIN, capacity), parameters.m, parameters.efConstruction, SEED)
    return new HnswGraph(parameters, index)
  }

  /** Only for files whose length and checksum were found right. @throws Error when the file cannot be a graph */
  static read(parameters: HnswParameters, file: string): HnswGraph {
    const index = new hnswlib.HierarchicalNSW('ip', parameters.dimensions)
    index.readIndexSync(file)
    return new HnswGraph(parameters, index)
  }

  /** Vectors in the graph, the deleted ones too. */
  get elements(): number {
    return this.#index.getCurrentCount()
  }

  labels(): number[] {
    return this.#index.getIdsList()
  }

  /** @param vector checked by the caller: finite, unit length */
  add(label: number, vector: Float32Array): void {
    if (!Number.isInteger(label) || label < 1 || label > LABEL_MAX) throw new RangeError(`label ${label}`)
    if (vector.length !== this.parameters.dimensions) throw new RangeError(`${vector.length} dimensions`)
    if (this.elements >= this.#index.getMaxElements()) {
      this.#index.resizeIndex(Math.max(CAPACITY_MIN, Math.ceil(this.#index.getMaxElements() * (1 + GROWTH))))
    }
    this.#index.addPoint(Array.from(vector), label)
  }

  /** Takes a vector out of the answers; it stays as a way for walks. @returns false when it was not there */
  retire(label: number): boolean {
    try {
      this.#index.markDelete(label)
      return true
    } catch {
      return false
    }
  }

  /**
   * Up to `count` labels that are not retired, nearest first by this graph's own arithmetic.
   *
   * @param ef candidates kept during the walk, `count` is used when larger
   */
  search(vector: Float32Array, count: number, ef: number): number[] {
    if (vector.length !== this.parameters.dimensions) throw new RangeError(`${vector.length} dimensions`)
    const k = Math.min(count, this.elements)
    if (!(k >= 1)) return []
    this.#index.setEf(Math.max(ef, k))
    return this.#index.searchKnn(Array.from(vector), k).neighbors
  }

  /** Writes the graph; searches may go on meanwhile, nothing may be added or retired. */
  async write(file: string): Promise<void> {
    await this.#index.writeIndex(file)
  }

  /** Gives its memory back now: the garbage collector does not know how much there is. */
  free(): void {
    this.#index.initIndex(1)
  }
}
