import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import { bfloat16ToFloat32, float16ToFloat32 } from '../weights/float-formats.ts'
import { BAND_NUMBERS } from '../weights/weight-source.ts'

/** Bytes per number of the formats a LLaMA checkpoint is published in. */
const BYTES = { F32: 4, F16: 2, BF16: 2 } as const
type Format = keyof typeof BYTES

/** The longest header the format's reference implementation accepts. */
const HEADER_BYTES_MAX = 100_000_000

interface StoredTensor {
  format: Format
  shape: number[]
  /** Byte range in the file. */
  begin: number
  end: number
}

interface RawEntry {
  dtype?: unknown
  shape?: unknown
  data_offsets?: unknown
}

/**
 * One safetensors file, read by ranges: never more in memory than was asked for.
 *
 * Layout (safetensors format specification): u64 little-endian header length, a JSON header of
 * `{name: {dtype, shape, data_offsets: [begin, end]}}` with offsets relative to the header's end, then the data.
 */
export class SafetensorsFile {
  readonly #file: FileHandle
  readonly #name: string
  readonly tensors: ReadonlyMap<string, StoredTensor>

  private constructor(file: FileHandle, name: string, tensors: ReadonlyMap<string, StoredTensor>) {
    this.#file = file
    this.#name = name
    this.tensors = tensors
  }

  /** @throws ToolError CHECKPOINT_UNUSABLE when the file is missing, cut, damaged or of another number format */
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
    const { begin, end, format } = this.#tensor(tensorName)
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
    const { begin, end, format, shape } = this.#tensor(tensorName)
    const width = shape.slice(1).reduce((product, dim) => product * dim, 1)
    const step = Math.max(1, Math.floor(BAND_NUMBERS / Math.max(1, width))) * width * BYTES[format]
    const bytes = new Uint8Array(Math.min(step, end - begin))
    const floats = new Float32Array(bytes.length / BYTES[format])
    for (let start = begin; start < end; start += step) {
      const length = Math.min(step, end - start)
      await readRange(this.#file, this.#name, start, bytes.subarray(0, length))
      const band = floats.subarray(0, length / BYTES[format])
      if (format === 'F32') band.set(new Float32Array(bytes.buffer, 0, band.length))
      else if (format === 'F16') float16ToFloat32(new Uint16Array(bytes.buffer, 0, band.length), band)
      else bfloat16ToFloat32(new Uint16Array(bytes.buffer, 0, band.length), band)
      yield band
    }
  }

  #tensor(name: string): StoredTensor {
    const tensor = this.tensors.get(name)
    if (!tensor) throw unusable(this.#name, `has no tensor ${name}`)
    return tensor
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
  const header = parseHeader(await readRange(file, name, 8, new Uint8Array(length)), name)
  const dataStart = 8 + length
  const tensors = new Map<string, StoredTensor>()
  for (const [key, entry] of Object.entries(header)) {
    if (key !== '__metadata__') tensors.set(key, checkedEntry(key, entry, name, dataStart, size))
  }
  return tensors
}

function parseHeader(bytes: Uint8Array, name: string): Record<string, RawEntry> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) {
      return header as Record<string, RawEntry>
    }
  } catch (error) {
    throw unusable(name, 'has a header that is not JSON: damaged', error)
  }
  throw unusable(name, 'has a header that is not a JSON object: damaged')
}

function checkedEntry(
  key: string,
  entry: RawEntry,
  name: string,
  dataStart: number,
  size: number,
): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = entry ?? {}
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw unusable(name, `has a damaged header entry for ${key}`)
  }
  if (!(dtype in BYTES)) {
    throw unusable(
      name,
      `stores ${key} as ${dtype}; F32, F16 and BF16 are supported: quantised checkpoints must be converted back first`,
    )
  }
  const format = dtype as Format
  const [from, to] = offsets as [number, number]
  const bytes = shape.reduce((product, dim) => product * dim, BYTES[format])
  if (to - from !== bytes) {
    throw unusable(name, `gives ${key} ${to - from} bytes where its shape [${shape}] needs ${bytes}: damaged`)
  }
  if (dataStart + to > size) {
    throw unusable(name, `ends at byte ${size}, before ${key} does (${dataStart + to}): the file is cut`)
  }
  return { format, shape, begin: dataStart + from, end: dataStart + to }
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
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

function unusable(file: string, fault: string, cause?: unknown): ToolError {
  return new ToolError('CHECKPOINT_UNUSABLE', `${file} ${fault}.`, { file }, cause)
}
