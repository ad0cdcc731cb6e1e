import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { ServiceError } from '../../errors.ts'
import { bfloat16ToFloat32, float16ToFloat32 } from '../float-formats.ts'

/** Bytes per number of the formats a LLaMA checkpoint is published in. */
const BYTES = { F32: 4, F16: 2, BF16: 2 } as const
type Format = keyof typeof BYTES

/** The longest header the format's reference implementation accepts. */
const HEADER_BYTES_MAX = 100_000_000

export interface StoredTensor {
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
 * One safetensors file, read by ranges: never more than one tensor in memory.
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

  /** @throws ServiceError MODEL_UNUSABLE when the file is missing, cut, damaged or of another number format */
  static async open(path: string): Promise<SafetensorsFile> {
    const name = basename(path)
    const file = await open(path, 'r').catch((error: unknown) => {
      throw new ServiceError('MODEL_UNUSABLE', `The checkpoint has no readable ${name}.`, {}, error)
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
    const tensor = this.tensors.get(tensorName)
    if (!tensor) throw unusable(this.#name, `has no tensor ${tensorName}`)
    const bytes = await readRange(this.#file, this.#name, tensor.begin, tensor.end - tensor.begin)
    if (tensor.format === 'F32') return new Float32Array(bytes.buffer)
    const words = new Uint16Array(bytes.buffer)
    return tensor.format === 'F16' ? float16ToFloat32(words) : bfloat16ToFloat32(words)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

async function readHeader(file: FileHandle, name: string, size: number): Promise<Map<string, StoredTensor>> {
  if (size < 8) throw unusable(name, `is only ${size} bytes long, too short for a safetensors file`)
  const head = await readRange(file, name, 0, 8)
  const length = Number(new DataView(head.buffer).getBigUint64(0, true))
  if (length > HEADER_BYTES_MAX || 8 + length > size) {
    throw unusable(name, `announces a header of ${length} bytes but is ${size} bytes long: cut or damaged`)
  }
  const header = parseHeader(await readRange(file, name, 8, length), name)
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

async function readRange(
  file: FileHandle,
  name: string,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(length - done, READ_BYTES_MAX), start + done)
    if (bytesRead === 0) throw unusable(name, `ends at byte ${start + done}: the file is cut`)
    done += bytesRead
  }
  return bytes
}

function unusable(file: string, fault: string, cause?: unknown): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `${file} ${fault}.`, { file }, cause)
}
