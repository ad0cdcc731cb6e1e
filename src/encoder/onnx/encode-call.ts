import type { ServiceError } from '../../errors.ts'
import type { QueueCost } from '../../inference/limits.ts'
import type { Task } from '../../model/prompt.ts'
import type { EncodeTimings, Lane, Truncate } from '../encoder.ts'

/** One `encode` or `encodeBoth` as it crosses to the worker. */
export interface CallRequest {
  texts: readonly string[]
  task: Task
  lane: Lane
  truncate: Truncate
  /** Milliseconds since the epoch. */
  submittedAt: number
}

export interface CallResult {
  /** Unit vectors, [groups, texts, dimensions], row-major; jointly EBAE first, then EBAR. */
  vectors: Float32Array
  tokens: Uint32Array
  truncated: Uint8Array
  timings: EncodeTimings
}

export interface Settle {
  resolve(result: CallResult): void
  reject(error: ServiceError): void
}

/** A call inside the worker: gathers its rows' results and settles once. */
export class Call {
  readonly request: CallRequest
  readonly groups: number
  readonly result: CallResult
  /** What it still takes up in its lane's queue. */
  readonly held: QueueCost
  readonly #dimensions: number
  readonly #settle: Settle
  #missing: number
  #settled = false

  constructor(request: CallRequest, held: QueueCost, dimensions: number, settle: Settle) {
    const count = request.texts.length
    this.request = request
    this.groups = request.task === 'both' ? 2 : 1
    this.held = held
    this.#dimensions = dimensions
    this.#settle = settle
    this.#missing = count
    this.result = {
      vectors: new Float32Array(this.groups * count * dimensions),
      tokens: new Uint32Array(count),
      truncated: new Uint8Array(count),
      timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0 },
    }
  }

  get settled(): boolean {
    return this.#settled
  }

  /** @param embedding [groups, dimensions] of text `index` */
  addRow(index: number, embedding: Float32Array, timings: EncodeTimings): void {
    const { vectors } = this.result
    const count = this.request.texts.length
    for (let group = 0; group < this.groups; group++) {
      const row = embedding.subarray(group * this.#dimensions, (group + 1) * this.#dimensions)
      vectors.set(row, (group * count + index) * this.#dimensions)
    }
    const slowest = this.result.timings
    slowest.tokenizeMs = Math.max(slowest.tokenizeMs, timings.tokenizeMs)
    slowest.queueMs = Math.max(slowest.queueMs, timings.queueMs)
    slowest.inferenceMs = Math.max(slowest.inferenceMs, timings.inferenceMs)
    this.#missing--
    if (this.#missing > 0 || this.#settled) return
    this.#settled = true
    this.#settle.resolve(this.result)
  }

  fail(error: ServiceError): void {
    if (this.#settled) return
    this.#settled = true
    this.#settle.reject(error)
  }
}

/** Milliseconds since the epoch, with fractions, the same in every thread. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
