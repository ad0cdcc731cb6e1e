import protobuf from 'protobufjs'

/**
 * The part of ONNX's protobuf format that a written model needs. Field numbers are those of the ONNX
 * specification (onnx.proto, IR version 9); fields never written are left out.
 */
const SCHEMA: protobuf.INamespace = {
  nested: {
    Model: {
      fields: {
        irVersion: { type: 'int64', id: 1 },
        producerName: { type: 'string', id: 2 },
        graph: { type: 'Graph', id: 7 },
        opsetImport: { rule: 'repeated', type: 'OperatorSet', id: 8 },
      },
    },
    OperatorSet: { fields: { domain: { type: 'string', id: 1 }, version: { type: 'int64', id: 2 } } },
    Graph: {
      fields: {
        node: { rule: 'repeated', type: 'Node', id: 1 },
        name: { type: 'string', id: 2 },
        initializer: { rule: 'repeated', type: 'Tensor', id: 5 },
        input: { rule: 'repeated', type: 'ValueInfo', id: 11 },
        output: { rule: 'repeated', type: 'ValueInfo', id: 12 },
      },
    },
    Node: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        name: { type: 'string', id: 3 },
        opType: { type: 'string', id: 4 },
        attribute: { rule: 'repeated', type: 'Attribute', id: 5 },
        domain: { type: 'string', id: 7 },
      },
    },
    Attribute: {
      fields: {
        name: { type: 'string', id: 1 },
        f: { type: 'float', id: 2 },
        i: { type: 'int64', id: 3 },
        g: { type: 'Graph', id: 6 },
        type: { type: 'int32', id: 20 },
      },
    },
    Tensor: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1, options: { packed: false } },
        dataType: { type: 'int32', id: 2 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
        externalData: { rule: 'repeated', type: 'Entry', id: 13 },
        dataLocation: { type: 'int32', id: 14 },
      },
    },
    Entry: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
    ValueInfo: { fields: { name: { type: 'string', id: 1 }, type: { type: 'Type', id: 2 } } },
    Type: { fields: { tensorType: { type: 'TensorType', id: 1 } } },
    TensorType: { fields: { elemType: { type: 'int32', id: 1 }, shape: { type: 'Shape', id: 2 } } },
    Shape: { fields: { dim: { rule: 'repeated', type: 'Dimension', id: 1 } } },
    Dimension: { fields: { dimValue: { type: 'int64', id: 1 }, dimParam: { type: 'string', id: 2 } } },
  },
}

/** TensorProto.DataType */
export const DATA_TYPE = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const
export type DataType = keyof typeof DATA_TYPE

/** AttributeProto.AttributeType */
const ATTRIBUTE_TYPE = { float: 1, int: 2, graph: 5 } as const

/** TensorProto.DataLocation.EXTERNAL */
export const EXTERNAL = 1

export interface TensorProto {
  name: string
  dims: readonly number[]
  dataType: number
  rawData?: Uint8Array
  dataLocation?: number
  externalData?: { key: string; value: string }[]
}

interface AttributeProto {
  name: string
  type: number
  f?: number
  i?: number
  g?: GraphProto
}

export interface NodeProto {
  input: string[]
  output: string[]
  name: string
  opType: string
  attribute: AttributeProto[]
  domain: string
}

interface ValueInfoProto {
  name: string
  type: {
    tensorType: { elemType: number; shape?: { dim: { dimValue?: number; dimParam?: string }[] } }
  }
}

export interface GraphProto {
  name: string
  node: NodeProto[]
  initializer: TensorProto[]
  input: ValueInfoProto[]
  output: ValueInfoProto[]
}

/** An operator attribute: `{ float }` and `{ int }` say which kind of number; `{ graph }` is a branch's body. */
export type Attribute = { float: number } | { int: number } | { graph: GraphProto }

export function attribute(name: string, value: Attribute): AttributeProto {
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float }
  if ('int' in value) return { name, type: ATTRIBUTE_TYPE.int, i: value.int }
  return { name, type: ATTRIBUTE_TYPE.graph, g: value.graph }
}

/** A named tensor type; a string dimension is symbolic. No dims at all leaves the shape to inference. */
export function valueInfo(name: string, type: DataType, dims?: readonly (number | string)[]): ValueInfoProto {
  const shape = dims && {
    dim: dims.map((dim) => (typeof dim === 'string' ? { dimParam: dim } : { dimValue: dim })),
  }
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], ...(shape && { shape }) } } }
}

const ModelType = protobuf.Root.fromJSON(SCHEMA).lookupType('Model')

/** IR 9 with opset 20 and ONNX Runtime's own operators (com.microsoft), serialised. */
export function encodeModel(graph: GraphProto): Uint8Array {
  return ModelType.encode({
    irVersion: 9,
    producerName: 'llara-serve',
    opsetImport: [
      { domain: '', version: 20 },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph,
  }).finish()
}
