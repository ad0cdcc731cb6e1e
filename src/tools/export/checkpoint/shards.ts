import { join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { type HeadSource, headShapeFault } from './heads.ts'
import type { LlamaConfig } from './llama-config.ts'
import { SafetensorsFile } from './safetensors.ts'
import { isUnused, storedNames } from './stored-names.ts'
import { expectedTensors } from './tensor-names.ts'
import { findWeightFiles } from './weight-files.ts'

interface Shards extends WeightSource {
  /** Whether the head is among the tensors. */
  hasHead: boolean
  /** Something to know about the files, for people. */
  note: string | undefined
  close(): Promise<void>
}

/** What is looked for in the files. */
export interface WantedTensors {
  config: LlamaConfig
  head: HeadSource
  /** The head may be in an adapter instead. */
  headMayLack: boolean
}

/**
 * Opens all weight files, and checks that every tensor is there once, in its shape, and none is unknown.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the file or tensor at fault
 */
export async function openShards(folder: string, wanted: WantedTensors): Promise<Shards> {
  const { files, listed, rivals = [], note } = await findWeightFiles(folder)
  const shards = await openFiles(folder, files)
  try {
    if (listed) checkListed(shards, listed)
    const source = tensorsOf(shards, wanted)
    if (rivals.length > 0) await checkSame(folder, source, rivals, wanted)
    return { ...source, note, close: () => closeAll(shards) }
  } catch (error) {
    await closeAll(shards)
    throw error
  }
}

async function openFiles(folder: string, names: readonly string[]): Promise<SafetensorsFile[]> {
  const files: SafetensorsFile[] = []
  try {
    for (const name of names) files.push(await SafetensorsFile.open(join(folder, name)))
    return files
  } catch (error) {
    await closeAll(files)
    throw error
  }
}

async function closeAll(files: readonly SafetensorsFile[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()))
}

interface Tensors extends WeightSource {
  /** With their shapes. */
  found: ReadonlyMap<string, number[]>
  hasHead: boolean
}

function tensorsOf(files: readonly SafetensorsFile[], { config, head, headMayLack }: WantedTensors): Tensors {
  const home = new Map<string, SafetensorsFile>()
  for (const file of files) {
    for (const tensor of file.tensors.keys()) {
      const other = home.get(tensor)
      if (other && !isUnused(tensor)) throw twice(tensor, other.name, file.name)
      home.set(tensor, file)
    }
  }
  const lacksHead = headMayLack && [...head.stored.keys()].some((name) => !home.has(name))
  const expected = new Map([...expectedTensors(config), ...(lacksHead ? [] : head.stored)])
  const names = storedNames([...home.keys()], [...expected.keys()])
  for (const [name, shape] of expected) {
    const stored = names.get(name)!
    const found = home.get(stored)!.readable(stored).shape
    if (found.join() === shape.join()) continue
    const fault = headShapeFault(name, found)
    if (fault) throw fault
    const message = `Tensor ${stored} has shape [${found}]; config.json asks for [${shape}].`
    throw new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: name })
  }
  const stored = (name: string) => names.get(name)!
  return {
    found: expected,
    hasHead: !lacksHead,
    read: (name) => home.get(stored(name))!.read(stored(name)),
    bands: (name) => home.get(stored(name))!.bands(stored(name)),
  }
}

/** Versions of transformers differ in whether they believe the index or the shards, so the two must agree. */
function checkListed(shards: readonly SafetensorsFile[], listed: readonly string[]): void {
  const there = new Set(shards.flatMap(({ tensors }) => [...tensors.keys()]))
  const lost = listed.find((name) => !there.has(name) && !isUnused(name))
  if (lost !== undefined) throw stale(`it lists ${lost}, which no shard holds`, lost)
  const known = new Set(listed)
  const unlisted = [...there].find((name) => !known.has(name) && !isUnused(name))
  if (unlisted !== undefined) throw stale(`it does not list ${unlisted}, which a shard holds`, unlisted)
}

async function checkSame(
  folder: string,
  source: Tensors,
  rivals: readonly string[],
  wanted: WantedTensors,
): Promise<void> {
  const shards = await openFiles(folder, rivals)
  try {
    const other = tensorsOf(shards, wanted)
    for (const name of source.found.keys()) {
      if (!(await isSame(source.bands(name), other.bands(name)))) throw rivalry(name)
    }
  } finally {
    await closeAll(shards)
  }
}

async function isSame(
  ones: AsyncIterable<Float32Array>,
  others: AsyncIterable<Float32Array>,
): Promise<boolean> {
  const other = others[Symbol.asyncIterator]()
  for await (const band of ones) {
    const beside = (await other.next()).value as Float32Array
    if (Buffer.compare(bytesOf(band), bytesOf(beside)) !== 0) {
      await other.return?.()
      return false
    }
  }
  return true
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function rivalry(tensor: string): ToolError {
  const message =
    `The folder has both model.safetensors and shards with their index, and they differ in ${tensor}. ` +
    'transformers reads model.safetensors. Delete whichever is not the model.'
  return new ToolError('CHECKPOINT_UNUSABLE', message, { tensor })
}

function twice(tensor: string, one: string, other: string): ToolError {
  const message = `Tensor ${tensor} is in both ${one} and ${other}: nothing says which one counts.`
  return new ToolError('CHECKPOINT_UNUSABLE', message, { tensor })
}

function stale(why: string, tensor: string): ToolError {
  const message = `model.safetensors.index.json does not fit its shards: ${why}. Save the model again.`
  return new ToolError('CHECKPOINT_UNUSABLE', message, { tensor })
}
