/** A tensor as a safetensors file stores it. */
export interface Tensor {
  dtype: string
  shape: number[]
  data: Buffer
  /** What the header says, where it is more than `data` has: the last tensor of a sparse file. */
  bytes?: number
}

/** The tensors of a safetensors file, in the order of its header. */
export function readTensorFile(bytes: Buffer): Map<string, Tensor> {
  const end = 8 + Number(bytes.readBigUInt64LE(0))
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(bytes.toString('utf8', 8, end))
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => [name, { dtype, shape, data: Buffer.from(bytes.subarray(end + from, end + to)) }],
      ),
  )
}

/** A safetensors file of these tensors, one after the other. */
export function tensorFile(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: object = { format: 'pt' },
): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const [name, { dtype, shape, data, bytes = data.length }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes] }
    offset += bytes
  }
  return withHeader(JSON.stringify(header), ...[...tensors.values()].map(({ data }) => data))
}

/** A file of that header, whatever it says, and that data. */
export function withHeader(header: string, ...data: Buffer[]): Buffer {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, ...data])
}
