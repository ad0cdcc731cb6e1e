import { EMBEDDING } from '../checkpoint/tensor-names.ts'
import type { OnnxBuilder } from '../onnx/onnx-builder.ts'
import { DATA_TYPE } from '../onnx/schema.ts'
import { quantiseTable } from '../quantisation/quantise-weights.ts'
import { quantisedBands } from '../quantisation/quantised-bands.ts'

/** Dimensions that share a scale: a few that are larger than the rest then make no other coarser. */
const BLOCK = 32

/** The embedding table in 8 bits with a scale for each block of a token; only the rows looked up become floats. */
export class EightBitTable {
  readonly #rows: number
  readonly #width: number
  readonly #block: number

  constructor(rows: number, width: number) {
    this.#rows = rows
    this.#width = width
    this.#block = width % BLOCK === 0 ? BLOCK : width
  }

  /** @param bands the table's rows in order; returns [batch, tokens, width] */
  async lookUp(onnx: OnnxBuilder, inputIds: string, bands: AsyncIterable<Float32Array>): Promise<string> {
    const blocks = this.#width / this.#block
    const scales = new Float32Array(this.#rows * blocks)
    const header = { name: EMBEDDING, type: 'int8', dims: [this.#rows, blocks, this.#block] } as const
    const quantised = quantisedBands(bands, (band) => quantiseTable(band, this.#block), scales)
    const table = await onnx.streamed(header, quantised)
    const scale = await onnx.tensor('embed_scales', 'float', [this.#rows, blocks, 1], scales)
    const steps = onnx.node('embed_steps', 'Gather', [table, inputIds])
    const real = onnx.node('embed_float', 'Cast', [steps], { attributes: { to: { int: DATA_TYPE.float } } })
    const blocked = onnx.node('embed_blocks', 'Mul', [
      real,
      onnx.node('embed_scale', 'Gather', [scale, inputIds]),
    ])
    return onnx.node('embed', 'Reshape', [blocked, await onnx.ints('embed_shape', [0, 0, this.#width])])
  }
}
