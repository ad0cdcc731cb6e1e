import { EMBEDDING } from '../checkpoint/tensor-names.ts'
import type { GraphBuilder } from '../onnx/graph-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'
import { quantiseTable } from '../quantisation/quantise-weights.ts'

/** The embedding table in 8 bits with one scale a token; only the rows looked up become floats. */
export class EightBitTable {
  readonly #rows: number
  readonly #width: number

  constructor(rows: number, width: number) {
    this.#rows = rows
    this.#width = width
  }

  /** @param bands the table's rows in order; returns [batch, tokens, width] */
  async lookUp(graph: GraphBuilder, inputIds: string, bands: AsyncIterable<Float32Array>): Promise<string> {
    const scales = new Float32Array(this.#rows)
    const header = { name: EMBEDDING, type: 'int8', dims: [this.#rows, this.#width] } as const
    const table = await graph.streamed(header, this.#quantised(bands, scales))
    const scale = await graph.tensor('embed_scales', 'float', [this.#rows, 1], scales)
    const steps = graph.node('embed_steps', 'Gather', [table, inputIds])
    const real = graph.node('embed_float', 'Cast', [steps], { attributes: { to: { int: DATA_TYPE.float } } })
    return graph.node('embed', 'Mul', [real, graph.node('embed_scale', 'Gather', [scale, inputIds])])
  }

  /** Fills `scales` on the way. */
  async *#quantised(bands: AsyncIterable<Float32Array>, scales: Float32Array): AsyncIterable<Int8Array> {
    let done = 0
    for await (const band of bands) {
      const quantised = quantiseTable(band, this.#width)
      scales.set(quantised.scales, done)
      done += quantised.scales.length
      yield quantised.values
    }
  }
}
