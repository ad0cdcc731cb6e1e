import {
  type Attribute,
  attribute,
  type DataType,
  type GraphProto,
  type NodeProto,
  valueInfo,
} from './schema.ts'
import type { TensorHeader, TensorSink } from './tensor-sink.ts'

interface NodeOptions {
  attributes?: Record<string, Attribute>
  /** `com.microsoft` for ONNX Runtime's own operators. */
  domain?: string
  /** Names of the outputs; `''` leaves an optional one out. Default: one, named after the node. */
  outputs?: string[]
}

export const MICROSOFT = 'com.microsoft'

/** Collects the nodes and tensors of an ONNX model, or of a branch inside it. Values are known by their names. */
export class OnnxBuilder {
  readonly #graph: GraphProto
  readonly #sink: TensorSink

  constructor(name: string, sink: TensorSink) {
    this.#graph = { name, node: [], initializer: [], input: [], output: [] }
    this.#sink = sink
  }

  /** An input of the model; returns its name. */
  input(name: string, type: DataType, dims: readonly (number | string)[]): string {
    this.#graph.input.push(valueInfo(name, type, dims))
    return name
  }

  output(name: string, type: DataType, dims?: readonly (number | string)[]): void {
    this.#graph.output.push(valueInfo(name, type, dims))
  }

  /** Adds a node and returns the name of its first output. */
  node(name: string, opType: string, input: readonly string[], options: NodeOptions = {}): string {
    const output = options.outputs ?? [name]
    const node: NodeProto = {
      name,
      opType,
      domain: options.domain ?? '',
      input: [...input],
      output,
      attribute: Object.entries(options.attributes ?? {}).map(([key, value]) => attribute(key, value)),
    }
    this.#graph.node.push(node)
    return output[0]!
  }

  /** A constant tensor; returns its name. */
  async tensor(
    name: string,
    type: DataType,
    dims: readonly number[],
    data: ArrayBufferView,
  ): Promise<string> {
    return this.streamed({ name, type, dims }, [data])
  }

  /** A large constant that is written as it is made; returns its name. */
  async streamed(
    header: TensorHeader,
    chunks: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>,
  ): Promise<string> {
    this.#graph.initializer.push(await this.#sink.add(header, bytesOf(chunks)))
    return header.name
  }

  /** A small int64 constant: a scalar from a number, a vector from a list. */
  ints(name: string, values: number | readonly number[]): Promise<string> {
    const list = typeof values === 'number' ? [values] : values
    const dims = typeof values === 'number' ? [] : [list.length]
    return this.tensor(name, 'int64', dims, BigInt64Array.from(list, BigInt))
  }

  /** A body for `If`: it sees every value defined here. */
  branch(name: string): OnnxBuilder {
    return new OnnxBuilder(name, this.#sink)
  }

  /** `If` with one output, the same name in both branches. */
  choose(name: string, condition: string, then: OnnxBuilder, otherwise: OnnxBuilder): string {
    return this.node(name, 'If', [condition], {
      attributes: { then_branch: { graph: then.proto }, else_branch: { graph: otherwise.proto } },
    })
  }

  get proto(): GraphProto {
    return this.#graph
  }
}

async function* bytesOf(
  chunks: AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView>,
): AsyncIterable<Uint8Array> {
  for await (const { buffer, byteOffset, byteLength } of chunks) {
    yield new Uint8Array(buffer, byteOffset, byteLength)
  }
}
