import type { Arithmetic } from '../arithmetic/arithmetic.ts'
import { siteName } from '../arithmetic/arithmetic.ts'
import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { biasName, FINAL_NORM, normName, projectionName } from '../checkpoint/tensor-names.ts'
import { MICROSOFT, type OnnxBuilder } from '../onnx/onnx-builder.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { type AttentionContext, attendAll, attendRows, attentionContext, rotate } from './attention.ts'
import { buildLayout, type Layout } from './layout.ts'
import { buildOutput, type OutputHead, pooledTokens } from './output-head.ts'
import { rotaryTables } from './rotary-tables.ts'

interface LlamaOptions {
  onnx: OnnxBuilder
  config: LlamaConfig
  weights: WeightSource
  arithmetic: Arithmetic
  head: OutputHead
  /** Most positions a row can have. */
  positions: number
  onLayer?: (layer: number) => void
}

/** Name of the value that enters a site's projections, by site name. */
export type Sites = Map<string, string>

/**
 * A LLaMA without cache, from token ids to unit vectors or scores, by the contract of `model/card.ts`. Of the
 * last layer only keys and values are computed for every token; the rest runs on the pooled rows alone.
 */
export async function buildLlama(options: LlamaOptions): Promise<Sites> {
  const { onnx, config, arithmetic, positions } = options
  const layout = await buildLayout(onnx, arithmetic, pooledTokens(options.head))
  const { cos, sin } = rotaryTables(config, positions)
  const tableDims = [positions, config.headSize / 2]
  const context = await attentionContext(onnx, {
    config,
    layout,
    type: arithmetic.activations,
    cos: await arithmetic.constant(onnx, 'rotary_cos', tableDims, cos),
    sin: await arithmetic.constant(onnx, 'rotary_sin', tableDims, sin),
  })
  const builder = new LayerBuilder(options, context)
  let stream = await builder.begin()
  for (let layer = 0; layer < config.layers; layer++) {
    options.onLayer?.(layer)
    stream = await builder.layer(stream, layer)
  }
  const weight = await options.weights.read(FINAL_NORM)
  const sum = onnx.node('final_sum', 'Add', [stream.residual, stream.update!])
  await buildOutput(onnx, options.head, { config, arithmetic, states: sum, weight })
  return builder.sites
}

/** The residual stream, and what the block before wants added to it. */
interface Stream {
  residual: string
  update?: string
}

class LayerBuilder {
  readonly sites: Sites = new Map()
  readonly #options: LlamaOptions
  readonly #layout: Layout
  readonly #context: AttentionContext

  constructor(options: LlamaOptions, context: AttentionContext) {
    this.#options = options
    this.#layout = context.layout
    this.#context = context
  }

  async begin(): Promise<Stream> {
    const { onnx, arithmetic } = this.#options
    return { residual: await arithmetic.embed(onnx, this.#layout.inputIds) }
  }

  async layer(before: Stream, layer: number): Promise<Stream> {
    const { onnx, config } = this.#options
    const last = layer === config.layers - 1
    const [normed, residual] = await this.#norm(before, layer, 'attention')
    const attended = await (last ? this.#attendLast(normed, layer) : this.#attend(normed, layer))
    const output = await this.#enter(attended, layer, 'output')
    const update = await this.#project(output, layer, 'o')
    const stream = { residual: last ? this.#pick(`layers.${layer}.kept`, residual) : residual, update }
    const [mlpInput, between] = await this.#norm(stream, layer, 'mlp')
    const entered = await this.#enter(mlpInput, layer, 'mlp')
    const gate = await this.#project(entered, layer, 'gate')
    const up = await this.#up(entered, layer)
    const active = onnx.node(`layers.${layer}.silu`, 'QuickGelu', [gate], {
      domain: MICROSOFT,
      attributes: { alpha: { float: 1 } },
    })
    const gated = onnx.node(`layers.${layer}.gated`, 'Mul', [active, up])
    const down = await this.#project(await this.#enter(gated, layer, 'down'), layer, 'down')
    return { residual: between, update: down }
  }

  async #attend(normed: string, layer: number): Promise<string> {
    const { onnx } = this.#options
    const entered = await this.#enter(normed, layer, 'attention')
    const queries = await this.#project(entered, layer, 'q')
    const rotated = rotate(onnx, `layers.${layer}.q_rotated`, queries, this.#layout.positions, this.#context)
    const [keys, values] = await this.#keysAndValues(entered, layer)
    return attendAll(onnx, `layers.${layer}.attended`, [rotated, keys, values], this.#context)
  }

  async #attendLast(normed: string, layer: number): Promise<string> {
    const { onnx } = this.#options
    const entered = await this.#enter(normed, layer, 'attention')
    const [keys, values] = await this.#keysAndValues(entered, layer)
    const picked = this.#pick(`layers.${layer}.q_input`, entered)
    const queries = await this.#project(picked, layer, 'q')
    const positions = this.#layout.rowPositions
    const rotated = rotate(onnx, `layers.${layer}.q_rotated`, queries, positions, this.#context)
    return attendRows(onnx, `layers.${layer}.attended`, [rotated, keys, values], this.#context)
  }

  async #keysAndValues(entered: string, layer: number): Promise<[string, string]> {
    const keys = await this.#project(entered, layer, 'k')
    const name = `layers.${layer}.k_rotated`
    const rotated = rotate(this.#options.onnx, name, keys, this.#layout.positions, this.#context)
    return [rotated, await this.#project(entered, layer, 'v')]
  }

  /** The pooled rows of [batch, tokens, width]: [batch, pooled, width]. */
  #pick(name: string, value: string): string {
    const attributes = { batch_dims: { int: 1 } }
    return this.#options.onnx.node(name, 'GatherND', [value, this.#layout.rows], { attributes })
  }

  /** RMS norm of the stream, and the stream with the update added: one fused operator. */
  async #norm(stream: Stream, layer: number, part: 'attention' | 'mlp'): Promise<[string, string]> {
    const { onnx, config, arithmetic, weights } = this.#options
    const weightName = normName(layer, part)
    const values = await weights.read(weightName)
    const weight = await arithmetic.constant(onnx, weightName, [config.hiddenSize], values)
    const name = `layers.${layer}.${part}_norm`
    const attributes = { epsilon: { float: config.normEpsilon } }
    if (stream.update === undefined) {
      return [
        onnx.node(name, 'SimplifiedLayerNormalization', [stream.residual, weight], { attributes }),
        stream.residual,
      ]
    }
    const sum = `layers.${layer}.${part}_sum`
    const inputs = [stream.residual, stream.update, weight]
    const outputs = [name, '', '', sum]
    onnx.node(name, 'SkipSimplifiedLayerNormalization', inputs, { domain: MICROSOFT, attributes, outputs })
    return [name, sum]
  }

  /** What the gate is multiplied by. Where the weights are all zero, the bias is the whole of it: no product is run. */
  async #up(entered: string, layer: number): Promise<string> {
    const { onnx, config, arithmetic, weights } = this.#options
    const bias = biasName(config, layer, 'up')
    if (bias === undefined || !(await isZero(weights, projectionName(layer, 'up')))) {
      return this.#project(entered, layer, 'up')
    }
    return arithmetic.constant(onnx, bias, [config.intermediateSize], await weights.read(bias))
  }

  #enter(input: string, layer: number, site: Parameters<Arithmetic['enter']>[3]): Promise<string> {
    this.sites.set(siteName(layer, site), input)
    return this.#options.arithmetic.enter(this.#options.onnx, input, layer, site)
  }

  #project(
    entered: string,
    layer: number,
    projection: Parameters<Arithmetic['project']>[3],
  ): Promise<string> {
    return this.#options.arithmetic.project(this.#options.onnx, entered, layer, projection)
  }
}

async function isZero(weights: WeightSource, name: string): Promise<boolean> {
  for await (const band of weights.bands(name)) if (band.some((value) => value !== 0)) return false
  return true
}
