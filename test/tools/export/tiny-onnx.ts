import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Prompt } from '../../../src/encoder/encoder.ts'
import { type ModelSession, openSession } from '../../../src/inference/session.ts'
import { type Card, MODEL_FILES, TENSORS } from '../../../src/model/card.ts'
import { type RowTokens, rowTokens } from '../../../src/model/prompt.ts'
import { readCard } from '../../../src/model/read-card.ts'
import { type CheckpointName, checkpointFolder } from '../../fixtures/tiny-model.ts'

export interface Golden {
  template: string
  prefix_ids: number[]
  texts: string[]
  body_ids: number[][]
  prompts: Record<Prompt, { suffix_ids: number[]; vectors: number[][] }>
}

export function readGolden(name: CheckpointName): Golden {
  return JSON.parse(readFileSync(join(checkpointFolder(name), 'golden.json'), 'utf8'))
}

/** An exported model as these tests use it: rows of ids in, vectors out. */
export class TinyOnnx {
  readonly card: Card
  readonly #session: ModelSession

  private constructor(card: Card, session: ModelSession) {
    this.card = card
    this.#session = session
  }

  static open(folder: string): Promise<TinyOnnx> {
    return TinyOnnx.openWith(folder, folder)
  }

  /** The graph of one folder with the card of another. */
  static async openWith(graphFolder: string, cardFolder: string): Promise<TinyOnnx> {
    const path = join(graphFolder, MODEL_FILES.model)
    const session = await openSession(path, {
      provider: 'cpu',
      intraOpThreads: 1,
      spinning: false,
      deviceId: 0,
    })
    return new TinyOnnx(readCard(cardFolder), session)
  }

  row(task: Prompt | 'both', body: readonly number[]): RowTokens {
    return rowTokens(this.card, task === 'both' ? ['ebae', 'ebar'] : [task], Uint32Array.from(body))
  }

  /** Vectors [row][group], all rows in one batch, padded on the right with whatever `junk` gives. */
  async run(
    rows: readonly RowTokens[],
    junk: () => number = () => this.card.padId,
  ): Promise<Float32Array[][]> {
    const width = Math.max(...rows.map((row) => row.ids.length))
    const ids = rows.flatMap((row) => [...row.ids, ...Array.from({ length: width - row.ids.length }, junk)])
    const groups = rows[0]!.spans.length / 2
    const spans = rows.flatMap((row) => row.spans)
    const output = await this.#session.run({
      [TENSORS.inputIds]: {
        type: 'int64',
        dims: [rows.length, width],
        data: BigInt64Array.from(ids, BigInt),
      },
      [TENSORS.spans]: {
        type: 'int64',
        dims: [rows.length, groups, 2],
        data: BigInt64Array.from(spans, BigInt),
      },
    })
    const { data, dims } = output[TENSORS.embeddings]!
    const size = dims[2]!
    return rows.map((_, i) =>
      Array.from({ length: groups }, (_, g) =>
        (data as Float32Array).slice((i * groups + g) * size, (i * groups + g + 1) * size),
      ),
    )
  }

  close(): Promise<void> {
    return this.#session.release()
  }
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!))
  return a.length === b.length ? largest : Number.NaN
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0
  for (let i = 0; i < a.length; i++) dot += a[i]! * b[i]!
  return dot
}
