import { ServiceError } from '../../errors.ts'
import { TENSORS } from '../../model/card.ts'
import type { RowTokens } from '../../model/prompt.ts'
import { ExitGuard } from '../exit-guard.ts'
import type { ModelSession } from '../session.ts'

/** What a model gives for each span of a row. */
export interface ModelOutput {
  /** As it is named in model.onnx. */
  name: string
  /** Numbers a span. */
  width: number
  /** @throws ServiceError INTERNAL for numbers that no caller may get */
  check(numbers: Float32Array): void
}

/** Runs rows through the model: pads on the right, checks what comes back. */
export class BatchRunner {
  readonly #session: Pick<ModelSession, 'run'>
  readonly #padId: bigint
  readonly #output: ModelOutput
  readonly #guard: ExitGuard

  /** @param guard shared with the thread that exits; its own where nothing waits for the end of a batch */
  constructor(
    session: Pick<ModelSession, 'run'>,
    padId: number,
    output: ModelOutput,
    guard = new ExitGuard(),
  ) {
    this.#session = session
    this.#padId = BigInt(padId)
    this.#output = output
    this.#guard = guard
  }

  /**
   * @param rows at least one, all with the same number of spans
   * @returns the output, [rows, spans, width], row-major
   * @throws ServiceError INTERNAL for an output that is missing or wrong; whatever the runtime throws
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
    const { name, width, check } = this.#output
    const numbers = outputs[name]?.data
    if (!(numbers instanceof Float32Array) || numbers.length !== rows.length * groups * width) {
      throw new ServiceError('INTERNAL', `The model does not give the ${name} that its card promises.`)
    }
    check(numbers)
    return numbers
  }
}
