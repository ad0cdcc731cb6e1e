import { join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import type { LlamaConfig } from '../checkpoint/llama-config.ts'
import { SafetensorsFile } from '../checkpoint/safetensors.ts'
import { EMBEDDING, expectedTensors } from '../checkpoint/tensor-names.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { type AdapterConfig, readAdapterConfig } from './adapter-config.ts'
import { addProduct } from './low-rank.ts'

const WEIGHTS = 'adapter_model.safetensors'
/** What peft puts before the base model's own names; a `LlamaForCausalLM` then adds `model.`. */
const PREFIX = /^base_model\.model\./
/** The LM head is not exported, so what is trained on it is left out. */
const UNUSED = /^lm_head\./

/** Which stored tensors change one tensor of the base. */
interface Change {
  /** The module's path as peft matches patterns against it. */
  module: string
  /** Replaces the tensor: `modules_to_save`, or an embedding saved beside its update. */
  whole?: string
  /** [r, inputs] and [outputs, r]. */
  a?: string
  b?: string
}

interface LoraAdapter {
  /** The checkpoint's tensors with the adapter merged in: W + scaling * B A, band by band, in float32. */
  merged(source: WeightSource): WeightSource
  close(): Promise<void>
}

/**
 * Opens a LoRA adapter in peft's layout and checks that each of its tensors fits the model.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the setting or tensor at fault
 */
export async function openAdapter(folder: string, config: LlamaConfig): Promise<LoraAdapter> {
  const settings = await readAdapterConfig(folder)
  const file = await SafetensorsFile.open(join(folder, WEIGHTS))
  try {
    const changes = readChanges(file, expectedTensors(config))
    for (const [name, change] of changes) checkShapes(file, name, change, settings, config)
    return {
      merged: (source) => {
        const bands = (name: string) => mergedBands(name, changes.get(name), { source, file, settings })
        return { bands, read: (name) => joined(bands(name), expectedTensors(config).get(name)!) }
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

function readChanges(file: SafetensorsFile, expected: ReadonlyMap<string, number[]>): Map<string, Change> {
  const changes = new Map<string, Change>()
  for (const stored of file.tensors.keys()) {
    const path = stored.replace(PREFIX, '')
    if (UNUSED.test(path)) continue
    const found =
      /^(.+)\.lora_(?:embedding_)?([AB])(?:\.weight)?$/.exec(path) ??
      /^(.+?)(?:\.modules_to_save|\.base_layer)?()\.(?:weight|bias)$/.exec(path)
    const module = found?.[1] ?? ''
    const kind = path.endsWith('.bias') ? 'bias' : 'weight'
    const name = `${module.replace(/^model\./, '')}.${kind}`
    if (!PREFIX.test(stored) || !expected.has(name)) throw foreign(stored)
    const part = found?.[2] === 'A' ? 'a' : found?.[2] === 'B' ? 'b' : 'whole'
    changes.set(name, { ...(changes.get(name) ?? { module }), [part]: stored })
  }
  if (changes.size === 0) {
    throw new ToolError('CHECKPOINT_UNUSABLE', `${WEIGHTS} holds nothing that changes the model.`)
  }
  return changes
}

function checkShapes(
  file: SafetensorsFile,
  name: string,
  { module, whole, a, b }: Change,
  settings: AdapterConfig,
  config: LlamaConfig,
): void {
  const shape = expectedTensors(config).get(name)!
  if (whole !== undefined) checkShape(file, whole, shape)
  if (a === undefined && b === undefined) return
  if (a === undefined || b === undefined) throw foreign((a ?? b)!, 'has only one of its two matrices')
  const rank = settings.rank(module)
  const [rows, columns] = shape as [number, number]
  // peft stores an embedding's update turned: A over the tokens, B over the dimensions.
  checkShape(file, a, name === EMBEDDING ? [rank, rows] : [rank, columns])
  checkShape(file, b, name === EMBEDDING ? [columns, rank] : [rows, rank])
}

function checkShape(file: SafetensorsFile, stored: string, shape: readonly number[]): void {
  const found = file.readable(stored).shape
  if (found.join() === shape.join()) return
  const message = `Adapter tensor ${stored} has shape [${found}]; base model and adapter_config.json ask for [${shape}].`
  throw new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: stored })
}

async function* mergedBands(
  name: string,
  change: Change | undefined,
  { source, file, settings }: { source: WeightSource; file: SafetensorsFile; settings: AdapterConfig },
): AsyncIterable<Float32Array> {
  const base = change?.whole === undefined ? source.bands(name) : file.bands(change.whole)
  if (change?.a === undefined || change.b === undefined) {
    yield* base
    return
  }
  const scaling = settings.scaling(change.module)
  const [a, b] = [await file.read(change.a), await file.read(change.b)]
  const rank = settings.rank(change.module)
  const turned = name === EMBEDDING
  let row = 0
  for await (const band of base) {
    row += addProduct(band, row, { a, b, rank, scaling, turned })
    yield band
  }
}

async function joined(bands: AsyncIterable<Float32Array>, shape: readonly number[]): Promise<Float32Array> {
  const whole = new Float32Array(shape.reduce((product, dim) => product * dim, 1))
  let done = 0
  for await (const band of bands) {
    whole.set(band, done)
    done += band.length
  }
  return whole
}

function foreign(stored: string, why = 'does not belong to a LoRA of this model'): ToolError {
  return new ToolError('CHECKPOINT_UNUSABLE', `Adapter tensor ${stored} ${why}.`, { tensor: stored })
}
