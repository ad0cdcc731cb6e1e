import { ToolError } from '../../../cli/tool-error.ts'
import { repeatedKey } from './repeated-key.ts'

export interface StoredTensor {
  name: string
  /** As the file says it: F32, BF16, I8, ... */
  dtype: string
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

/** Bits a number of each format that the specification lists; the length of others cannot be checked. */
const BITS: ReadonlyMap<string, number> = new Map([
  ...(['F64', 'I64', 'U64', 'C64'] as const).map((name) => [name, 64] as const),
  ...(['F32', 'I32', 'U32'] as const).map((name) => [name, 32] as const),
  ...(['F16', 'BF16', 'I16', 'U16'] as const).map((name) => [name, 16] as const),
  ...(['I8', 'U8', 'BOOL', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'] as const).map((name) => [name, 8] as const),
])
/** Frameworks whose linear maps are stored turned: a square matrix would pass every other check. */
const TURNED = ['tf', 'flax']

/** Where the header stands in which file. */
interface Place {
  file: string
  /** Of the whole file. */
  bytes: number
  /** Where the tensors begin. */
  dataStart: number
}

/**
 * The tensors that a safetensors header announces. As in the format's reference implementation, they must fill the rest of the
 * file, each byte once: another reader might take other bytes for the same tensor.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the file and what is wrong with it
 */
export function readTensors(header: Uint8Array, place: Place): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>()
  for (const [name, entry] of Object.entries(parsed(header, place.file))) {
    if (name === '__metadata__') checkMetadata(entry, place.file)
    else tensors.set(name, tensorOf(name, entry as RawEntry, place))
  }
  checkLayout([...tensors.values()], place)
  return tensors
}

function parsed(bytes: Uint8Array, file: string): Record<string, unknown> {
  let header: unknown
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    header = JSON.parse(text)
  } catch (error) {
    throw unusable(file, 'has a header that is not JSON: damaged', error)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw unusable(file, 'has a header that is not a JSON object: damaged')
  }
  const repeated = repeatedKey(text)
  if (repeated === undefined) return header as Record<string, unknown>
  throw unusable(file, `has ${repeated} twice in its header: nothing says which one counts`)
}

function checkMetadata(metadata: unknown, file: string): void {
  const format = (metadata as { format?: unknown } | null)?.format
  if (!TURNED.includes(format as string)) return
  throw unusable(
    file,
    `was saved by ${String(format)}, which stores matrices turned; save it with transformers in PyTorch`,
  )
}

function tensorOf(name: string, entry: RawEntry | null, { file, bytes, dataStart }: Place): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = entry ?? {}
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw unusable(file, `has a damaged header entry for ${name}`)
  }
  const [from, to] = offsets as [number, number]
  const bits = BITS.get(dtype)
  const needed =
    bits === undefined ? to - from : (shape.reduce((product, dim) => product * dim, 1) * bits) / 8
  if (to < from || to - from !== needed) {
    throw unusable(
      file,
      `gives ${name} ${to - from} bytes where its shape [${shape}] needs ${needed}: damaged`,
    )
  }
  if (dataStart + to > bytes) {
    throw unusable(file, `ends at byte ${bytes}, before ${name} does (${dataStart + to}): the file is cut`)
  }
  return { name, dtype, shape, begin: dataStart + from, end: dataStart + to }
}

/** One tensor after the other, from the header's end to the file's. */
function checkLayout(tensors: StoredTensor[], { file, bytes, dataStart }: Place): void {
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let end = dataStart
  let before = 'the header'
  for (const tensor of tensors) {
    if (tensor.begin < end)
      throw unusable(file, `has ${before} and ${tensor.name} in the same bytes: damaged`)
    if (tensor.begin > end) {
      throw unusable(
        file,
        `has ${tensor.begin - end} bytes between ${before} and ${tensor.name} that belong to no tensor: damaged`,
      )
    }
    end = tensor.end
    before = tensor.name
  }
  if (end < bytes)
    throw unusable(file, `has ${bytes - end} bytes after its last tensor: damaged, or not a safetensors file`)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

/** A fault of a weights file. @param fault what follows its name */
export function unusable(file: string, fault: string, cause?: unknown): ToolError {
  return new ToolError('CHECKPOINT_UNUSABLE', `${file} ${fault}.`, { file }, cause)
}
