import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import { optionalJson } from './json-files.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

/** Weights that only other software reads, by what they are. */
const FOREIGN: [pattern: RegExp, kind: string][] = [
  [/\.(bin|pt|pth|ckpt)$/, 'as pickle, a format that can run code when it is read'],
  [/\.(h5|msgpack)$/, 'for TensorFlow or Flax'],
  [/\.gguf$/, 'as GGUF'],
]

interface ShardIndex {
  /** Which tensors the shards should hold. */
  tensors: string[]
  files: string[]
}

/** Which files of a folder hold its weights. */
export interface WeightFiles {
  files: string[]
  /** What the index lists, where the weights are in shards. */
  listed?: string[]
  /** Shards that lie beside a single file and must hold the same. */
  rivals?: string[]
  /** Something to know about the choice, for people. */
  note?: string
}

/**
 * Chooses as transformers does: `model.safetensors` where it is there, else the shards that the index names.
 * @throws ToolError CHECKPOINT_UNUSABLE where there are no weights that can be read; the message says what there is
 */
export async function findWeightFiles(folder: string): Promise<WeightFiles> {
  const there = new Set(await readdir(folder))
  if (!there.has(SINGLE) && !there.has(INDEX)) throw withoutWeights(folder, [...there])
  if (!there.has(SINGLE)) {
    const { tensors, files } = await readIndex(folder)
    return { files, listed: tensors }
  }
  if (!there.has(INDEX)) return { files: [SINGLE] }
  const shards = await readIndex(folder).catch(() => undefined)
  const missing = shards?.files.find((file) => !there.has(file))
  if (shards && missing === undefined) return { files: [SINGLE], rivals: shards.files }
  const why = missing === undefined ? 'cannot be read' : `is out of date (there is no ${missing})`
  return { files: [SINGLE], note: `${INDEX} ${why}; ${SINGLE} is read` }
}

async function readIndex(folder: string): Promise<ShardIndex> {
  const map = (await optionalJson(folder, INDEX))?.['weight_map']
  if (typeof map !== 'object' || map === null || Object.keys(map).length === 0) {
    throw new ToolError('CHECKPOINT_UNUSABLE', `${INDEX} has no weight_map.`)
  }
  const files = [...new Set<unknown>(Object.values(map))].map((file) => {
    if (typeof file !== 'string' || basename(file) !== file || file.includes('\\')) {
      throw new ToolError(
        'CHECKPOINT_UNUSABLE',
        `${INDEX} points outside the checkpoint folder: ${String(file)}.`,
      )
    }
    return file
  })
  return { tensors: Object.keys(map), files }
}

function withoutWeights(folder: string, names: string[]): ToolError {
  for (const [pattern, kind] of FOREIGN) {
    const found = names.sort().find((name) => pattern.test(name))
    if (found === undefined) continue
    const message =
      `${folder} holds its weights only ${kind} (${found}); no ${SINGLE} and no ${INDEX}. ` +
      'Load the model with transformers and save it again: save_pretrained writes safetensors.'
    return new ToolError('CHECKPOINT_UNUSABLE', message)
  }
  const other = names.find((name) => name.endsWith('.safetensors'))
  const instead = other === undefined ? '' : `; ${other} is there, which transformers does not read either`
  return new ToolError('CHECKPOINT_UNUSABLE', `${folder} has no ${SINGLE} and no ${INDEX}${instead}.`)
}
