import { ServiceError } from '../../errors.ts'
import { ExitGuard } from '../../inference/exit-guard.ts'
import type { ModelSession } from '../../inference/session.ts'
import { TENSORS } from '../../model/card.ts'
import type { RowTokens } from '../../model/prompt.ts'

/** How far from 1 the length of a row may be before it is taken for a fault of the model. */
const UNIT_TOLERANCE = 0.01

/** Runs rows through the model: pads on the right, checks what comes back. */
export class BatchRunner {
  readonly #session: Pick<ModelSession, 'run'>
  readonly #padId: bigint
  readonly #dimensions: number
  readonly #guard: ExitGuard

  /** @param guard shared with the thread that exits; its own where nothing waits for the end of a batch */
  constructor(
    session: Pick<ModelSession, 'run'>,
    padId: number,
    dimensions: number,
    guard = new ExitGuard(),
  ) {
    this.#session = session
    this.#padId = BigInt(padId)
    this.#dimensions = dimensions
    this.#guard = guard
  }

  /**
   * @param rows at least one, all with the same number of spans
   * @returns embeddings, [rows, spans, dimensions], row-major
   * @throws ServiceError INTERNAL for embeddings that are missing or not of unit length; whatever the runtime throws
   */
  async run(rows: readonly RowTokens[]): Promise<Float32Array> {
    try {
      return await this.#runOnce(rows)
    } catch (error) {
      // Most often the device's memory: half a batch needs half of it. One retry, so a real fault still shows.
      if (rows.length === 1 || error instanceof ServiceError) throw error
      const half = rows.length >> 1
      const parts = [await this.#runOnce(rows.slice(0, half)), await this.#runOnce(rows.slice(half))]
      const joined = new Float32Array(parts[0]!.length + parts[1]!.length)
      joined.set(parts[0]!)
      joined.set(parts[1]!, parts[0]!.length)
      return joined
    }
  }

  async #runOnce(rows: readonly RowTokens[]): Promise<Float32Array> {
    const length = Math.max(...rows.map((row) => row.ids.length))
    const groups = rows[0]!.spans.length / 2
    const ids = new BigInt64Array(rows.length * length).fill(this.#padId)
    const spans = new BigInt64Array(rows.length * groups * 2)
    rows.forEach((row, r) => {
      row.ids.forEach((id, t) => {
        ids[r * length + t] = BigInt(id)
      })
      row.spans.forEach((at, s) => {
        spans[r * groups * 2 + s] = BigInt(at)
      })
    })
    const outputs = await this.#guard.run(() =>
      this.#session.run({
        [TENSORS.inputIds]: { type: 'int64', dims: [rows.length, length], data: ids },
        [TENSORS.spans]: { type: 'int64', dims: [rows.length, groups, 2], data: spans },
      }),
    )
    const embeddings = outputs[TENSORS.embeddings]?.data
    const expected = rows.length * groups * this.#dimensions
    if (!(embeddings instanceof Float32Array) || embeddings.length !== expected) {
      throw new ServiceError('INTERNAL', 'The model does not give the embeddings that its card promises.')
    }
    this.#checkUnitLength(embeddings)
    return embeddings
  }

  /** A vector of NaN or of no length would spoil an index without a sign. */
  #checkUnitLength(embeddings: Float32Array): void {
    for (let start = 0; start < embeddings.length; start += this.#dimensions) {
      let squares = 0
      for (let i = start; i < start + this.#dimensions; i++) squares += embeddings[i]! * embeddings[i]!
      if (!(Math.abs(squares - 1) < UNIT_TOLERANCE)) {
        throw new ServiceError('INTERNAL', 'The model gave a vector that is not of unit length.')
      }
    }
  }
}
