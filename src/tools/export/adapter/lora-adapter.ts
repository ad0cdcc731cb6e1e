import { join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { SafetensorsFile } from '../checkpoint/safetensors.ts'
import { EMBEDDING, expectedTensors } from '../checkpoint/tensor-names.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { type AdapterConfig, readAdapterConfig } from './adapter-config.ts'
import { addProduct } from './low-rank.ts'

const WEIGHTS = 'adapter_model.safetensors'
/** What peft puts before the base model's own names; a `LlamaForCausalLM` then adds `model.`. */
const PREFIX = /^base_model\.model\./
/** Where the LM head is not exported, what is trained on it is left out. */
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

/** The model that an adapter is for. */
type Base = Pick<Checkpoint, 'config' | 'head' | 'hasHead'>

/**
 * Opens a LoRA adapter in peft's layout and checks that each of its tensors fits the model, and that the head is there.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the setting or tensor at fault
 */
export async function openAdapter(folder: string, base: Base): Promise<LoraAdapter> {
  const expected = new Map([...expectedTensors(base.config), ...base.head.stored])
  const settings = await readAdapterConfig(folder)
  const file = await SafetensorsFile.open(join(folder, WEIGHTS))
  try {
    const changes = readChanges(file, expected, base)
    for (const [name, change] of changes) checkShapes(file, name, change, settings, expected.get(name)!)
    checkHead(changes, base)
    return {
      merged: (source) => {
        const bands = (name: string) => mergedBands(name, changes.get(name), { source, file, settings })
        return { bands, read: (name) => joined(bands(name), expected.get(name)!) }
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

function readChanges(
  file: SafetensorsFile,
  expected: ReadonlyMap<string, number[]>,
  { head }: Base,
): Map<string, Change> {
  const changes = new Map<string, Change>()
  for (const stored of file.tensors.keys()) {
    const path = stored.replace(PREFIX, '')
    if (UNUSED.test(path) && head.head !== 'lm_head') continue
    if (UNUSED.test(path) && head.tensor === EMBEDDING) throw tiedHead(stored)
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
  shape: readonly number[],
): void {
  if (whole !== undefined) checkShape(file, whole, shape)
  if (a === undefined && b === undefined) return
  if (a === undefined || b === undefined) throw foreign((a ?? b)!, 'has only one of its two matrices')
  const rank = settings.rank(module)
  const [rows, columns] = shape as [number, number]
  // peft stores an embedding's update turned: A over the tokens, B over the dimensions.
  checkShape(file, a, name === EMBEDDING ? [rank, rows] : [rank, columns])
  checkShape(file, b, name === EMBEDDING ? [columns, rank] : [rows, rank])
}

/** A head must be somewhere, and a tied one must not be changed on one side alone. */
function checkHead(changes: ReadonlyMap<string, Change>, { head, hasHead }: Base): void {
  const embedding = changes.get(EMBEDDING)
  if (head.tensor === EMBEDDING && embedding) throw tiedHead((embedding.whole ?? embedding.a)!)
  const missing = [...head.stored.keys()].find((name) => !hasHead && changes.get(name)?.whole === undefined)
  if (missing === undefined) return
  const message = `Neither the checkpoint nor the adapter has tensor ${missing}, which gives the scores.`
  throw new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: missing })
}

/** What training did to one of two tensors that are the same, nobody can say of the other. */
function tiedHead(stored: string): ToolError {
  const message =
    `Adapter tensor ${stored} changes the LM head or the embedding table of a model in which they are one ` +
    '(tie_word_embeddings). Save the merged model (merge_and_unload) and export that.'
  return new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: stored })
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
