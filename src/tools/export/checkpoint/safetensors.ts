import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import { bfloat16ToFloat32, float16ToFloat32 } from '../weights/float-formats.ts'
import { BAND_NUMBERS } from '../weights/weight-source.ts'
import { readTensors, type StoredTensor, unusable } from './safetensors-header.ts'

/** Bytes per number of the formats a LLaMA checkpoint is published in. */
const BYTES = { F32: 4, F16: 2, BF16: 2 } as const
type Format = keyof typeof BYTES
type ReadableTensor = StoredTensor & { dtype: Format }

/** The longest header the format's reference implementation accepts. */
const HEADER_BYTES_MAX = 100_000_000

/**
 * One safetensors file, read by ranges: never more in memory than was asked for.
 *
 * Layout (safetensors format specification): u64 little-endian header length, a JSON header of
 * `{name: {dtype, shape, data_offsets: [begin, end]}}` with offsets relative to the header's end, then the data.
 */
export class SafetensorsFile {
  readonly #file: FileHandle
  /** Without its folder. */
  readonly name: string
  readonly tensors: ReadonlyMap<string, StoredTensor>

  private constructor(file: FileHandle, name: string, tensors: ReadonlyMap<string, StoredTensor>) {
    this.#file = file
    this.name = name
    this.tensors = tensors
  }

  /** @throws ToolError CHECKPOINT_UNUSABLE when the file is missing, cut or damaged */
  static async open(path: string): Promise<SafetensorsFile> {
    const name = basename(path)
    const file = await open(path, 'r').catch((error: unknown) => {
      throw new ToolError('CHECKPOINT_UNUSABLE', `The checkpoint has no readable ${name}.`, {}, error)
    })
    try {
      const { size } = await file.stat()
      return new SafetensorsFile(file, name, await readHeader(file, name, size))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The tensor's numbers as float32, row-major. */
  async read(tensorName: string): Promise<Float32Array> {
    const { begin, end, dtype: format } = this.readable(tensorName)
    const numbers = new Float32Array((end - begin) / BYTES[format])
    let done = 0
    for await (const band of this.bands(tensorName)) {
      numbers.set(band, done)
      done += band.length
    }
    return numbers
  }

  /** The same in bands of whole rows; see WeightSource. */
  async *bands(tensorName: string): AsyncIterable<Float32Array> {
    const { begin, end, dtype: format, shape } = this.readable(tensorName)
    const width = shape.slice(1).reduce((product, dim) => product * dim, 1)
    const step = Math.max(1, Math.floor(BAND_NUMBERS / Math.max(1, width))) * width * BYTES[format]
    const bytes = new Uint8Array(Math.min(step, end - begin))
    const floats = new Float32Array(bytes.length / BYTES[format])
    for (let start = begin; start < end; start += step) {
      const length = Math.min(step, end - start)
      await readRange(this.#file, this.name, start, bytes.subarray(0, length))
      const band = floats.subarray(0, length / BYTES[format])
      if (format === 'F32') band.set(new Float32Array(bytes.buffer, 0, band.length))
      else if (format === 'F16') float16ToFloat32(new Uint16Array(bytes.buffer, 0, band.length), band)
      else bfloat16ToFloat32(new Uint16Array(bytes.buffer, 0, band.length), band)
      yield band
    }
  }

  /**
   * A tensor that can be read. Those that nobody reads may have any number format.
   * @throws ToolError CHECKPOINT_UNUSABLE where it is not there or in another number format
   */
  readable(name: string): ReadableTensor {
    const tensor = this.tensors.get(name)
    if (!tensor) throw unusable(this.name, `has no tensor ${name}`)
    if (isReadable(tensor)) return tensor
    throw unusable(
      this.name,
      `stores ${name} as ${tensor.dtype}; F32, F16 and BF16 are supported: convert a quantised checkpoint back first`,
    )
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

async function readHeader(file: FileHandle, name: string, size: number): Promise<Map<string, StoredTensor>> {
  if (size < 8) throw unusable(name, `is only ${size} bytes long, too short for a safetensors file`)
  const head = await readRange(file, name, 0, new Uint8Array(8))
  const length = Number(new DataView(head.buffer).getBigUint64(0, true))
  if (length > HEADER_BYTES_MAX || 8 + length > size) {
    throw unusable(name, `announces a header of ${length} bytes but is ${size} bytes long: cut or damaged`)
  }
  const header = await readRange(file, name, 8, new Uint8Array(length))
  return readTensors(header, { file: name, bytes: size, dataStart: 8 + length })
}

function isReadable(tensor: StoredTensor): tensor is ReadableTensor {
  return Object.hasOwn(BYTES, tensor.dtype)
}

/** Node reads at most 2 GiB at once. */
const READ_BYTES_MAX = 1 << 30

/** Fills `bytes` from the file's byte `start` on. */
async function readRange<Bytes extends Uint8Array>(
  file: FileHandle,
  name: string,
  start: number,
  bytes: Bytes,
): Promise<Bytes> {
  let done = 0
  while (done < bytes.length) {
    const wanted = Math.min(bytes.length - done, READ_BYTES_MAX)
    const { bytesRead } = await file.read(bytes, done, wanted, start + done)
    if (bytesRead === 0) throw unusable(name, `ends at byte ${start + done}: the file is cut`)
    done += bytesRead
  }
  return bytes
}
