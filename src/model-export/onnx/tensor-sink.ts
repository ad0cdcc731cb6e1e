import { type FileHandle, open } from 'node:fs/promises'
import { DATA_TYPE, type DataType, EXTERNAL, type TensorProto } from './schema.ts'

/** Where a graph's weights go as they are produced, one tensor at a time. */
export interface TensorSink {
  add(name: string, type: DataType, dims: readonly number[], bytes: Uint8Array): Promise<TensorProto>
  /** Flushes to disk. */
  close(): Promise<void>
}

/** Keeps weights inside the graph file: for models of moderate size. */
export class InlineSink implements TensorSink {
  async add(name: string, type: DataType, dims: readonly number[], bytes: Uint8Array): Promise<TensorProto> {
    return { name, dims, dataType: DATA_TYPE[type], rawData: bytes }
  }

  async close(): Promise<void> {}
}

/** ONNX Runtime maps external data into memory; a tensor that starts on a page boundary needs no copy. */
const PAGE_BYTES = 4096
/** Smaller than this stays in the graph: shape inference must see constants. */
const INLINE_BYTES_MAX = 1024

/** Appends weights to a file beside the graph (ONNX external data), in constant memory. */
export class ExternalSink implements TensorSink {
  readonly #file: FileHandle
  readonly #location: string
  #offset = 0

  private constructor(file: FileHandle, location: string) {
    this.#file = file
    this.#location = location
  }

  /** `location` is the file's name relative to the graph's folder. */
  static async create(path: string, location: string): Promise<ExternalSink> {
    return new ExternalSink(await open(path, 'wx'), location)
  }

  async add(name: string, type: DataType, dims: readonly number[], bytes: Uint8Array): Promise<TensorProto> {
    const proto = { name, dims, dataType: DATA_TYPE[type] }
    if (bytes.byteLength <= INLINE_BYTES_MAX) return { ...proto, rawData: bytes.slice() }
    await this.#append(new Uint8Array((PAGE_BYTES - (this.#offset % PAGE_BYTES)) % PAGE_BYTES))
    const offset = this.#offset
    await this.#append(bytes)
    return {
      ...proto,
      dataLocation: EXTERNAL,
      externalData: [
        { key: 'location', value: this.#location },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(bytes.byteLength) },
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
    await this.#file.sync()
    await this.#file.close()
  }
}
