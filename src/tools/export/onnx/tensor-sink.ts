import { type FileHandle, open } from 'node:fs/promises'
import { DATA_TYPE, type DataType, EXTERNAL, type TensorProto } from './schema.ts'

export interface TensorHeader {
  name: string
  type: DataType
  dims: readonly number[]
}

/** A tensor's bytes in order. A chunk is valid until the next one is asked for. */
type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Where a model's weights go as they are produced, one tensor at a time. */
export interface TensorSink {
  add(header: TensorHeader, chunks: Chunks): Promise<TensorProto>
  /** Flushes to disk. */
  close(): Promise<void>
}

/** Keeps weights inside the ONNX file: for models of moderate size. */
export class InlineSink implements TensorSink {
  async add({ name, type, dims }: TensorHeader, chunks: Chunks): Promise<TensorProto> {
    return { name, dims, dataType: DATA_TYPE[type], rawData: await joined(chunks) }
  }

  async close(): Promise<void> {}
}

/** ONNX Runtime maps external data into memory; a tensor that starts on a page boundary needs no copy. */
const PAGE_BYTES = 4096
/** Smaller than this stays in the ONNX file: shape inference must see constants. */
const INLINE_BYTES_MAX = 1024

/** Appends weights to a file beside it (ONNX external data), in constant memory. */
export class ExternalSink implements TensorSink {
  readonly #file: FileHandle
  readonly #location: string
  #offset = 0

  private constructor(file: FileHandle, location: string) {
    this.#file = file
    this.#location = location
  }

  /** `location` is the file's name relative to the folder of the ONNX file. */
  static async create(path: string, location: string): Promise<ExternalSink> {
    return new ExternalSink(await open(path, 'wx'), location)
  }

  async add({ name, type, dims }: TensorHeader, chunks: Chunks): Promise<TensorProto> {
    const proto = { name, dims, dataType: DATA_TYPE[type] }
    const bytes = byteLength(type, dims)
    if (bytes <= INLINE_BYTES_MAX) return { ...proto, rawData: await joined(chunks) }
    await this.#append(new Uint8Array((PAGE_BYTES - (this.#offset % PAGE_BYTES)) % PAGE_BYTES))
    const offset = this.#offset
    for await (const chunk of chunks) await this.#append(chunk)
    const length = this.#offset - offset
    if (length !== bytes) throw new Error(`${name} has ${length} bytes where its shape needs ${bytes}`)
    return {
      ...proto,
      dataLocation: EXTERNAL,
      externalData: [
        { key: 'location', value: this.#location },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(length) },
      ],
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    let written = 0
    while (written < bytes.byteLength) {
      const result = await this.#file.write(bytes, written, bytes.byteLength - written)
      written += result.bytesWritten
    }
    this.#offset += bytes.byteLength
  }

  async close(): Promise<void> {
    try {
      await this.#file.sync()
    } finally {
      await this.#file.close()
    }
  }
}

const TYPE_BYTES: Record<DataType, number> = {
  float: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
}

function byteLength(type: DataType, dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, TYPE_BYTES[type])
}

async function joined(chunks: Chunks): Promise<Uint8Array> {
  const copies: Uint8Array[] = []
  for await (const chunk of chunks) copies.push(chunk.slice())
  return copies.length === 1 ? copies[0]! : Buffer.concat(copies)
}
