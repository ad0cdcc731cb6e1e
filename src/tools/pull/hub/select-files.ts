import { basename, dirname } from 'node:path/posix'
import { ToolError } from '../../../cli/tool-error.ts'
import type { RemoteFile } from './hub-client.ts'

/** What an exported model needs besides weights. Pictures, notebooks, other formats and optimizer states stay. */
const DESCRIPTIONS = [
  'config.json',
  'adapter_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'tokenizer.model',
  'training.json',
  'modules.json',
  'config_sentence_transformers.json',
  'sentence_bert_config.json',
]
/** Folders whose config.json says how sentence-transformers pools. */
export const POOLING_FOLDER = /^\d+_Pooling$/
const INDEX = 'model.safetensors.index.json'
const WEIGHTS = 'model.safetensors'
const ADAPTER_WEIGHTS = 'adapter_model.safetensors'

interface Selection {
  /** A LoRA adapter, which needs its base model besides. */
  adapter: boolean
  /** Small files, read before any weights: descriptions and the index of shards. */
  first: RemoteFile[]
  /** The index of shards, where the weights are in shards; it says which. */
  index?: RemoteFile
  /** Weights, where they are in one file. */
  weights?: RemoteFile
  /** Something to know about the choice, for people. */
  note?: string
}

/**
 * Which files of a repository a pull takes.
 * @throws ToolError CHECKPOINT_UNUSABLE when it is not a LLaMA checkpoint or adapter in safetensors
 */
export function selectFiles(repository: string, files: readonly RemoteFile[]): Selection {
  const named = new Map(files.map((file) => [file.path, file]))
  const adapter = named.has('adapter_config.json') && !named.has(WEIGHTS) && !named.has(INDEX)
  if (!adapter && !named.has('config.json'))
    throw unusable(`${repository} has no config.json: not a checkpoint.`)
  // As transformers does: one file comes before shards.
  const weights = named.get(adapter ? ADAPTER_WEIGHTS : WEIGHTS)
  const index = adapter || weights ? undefined : named.get(INDEX)
  if (!index && !weights) throw withoutSafetensors(repository, files)
  if (!adapter && !named.has('tokenizer.json') && !named.has('tokenizer.model')) {
    const message = `${repository} has neither tokenizer.json nor tokenizer.model. Download it, put the tokenizer of its base model beside the weights, and pull from the folder.`
    throw unusable(message)
  }
  const pooling = files.filter(
    ({ path }) => POOLING_FOLDER.test(dirname(path)) && basename(path) === 'config.json',
  )
  const first = [...DESCRIPTIONS.flatMap((name) => named.get(name) ?? []), ...pooling]
  return {
    adapter,
    first: index ? [...first, index] : first,
    ...(index && { index }),
    ...(weights && { weights }),
    ...(weights &&
      named.has(INDEX) && {
        note: `${repository} has ${INDEX} as well; ${WEIGHTS} is taken, as transformers does`,
      }),
  }
}

/**
 * The shards an index names.
 * @throws ToolError CHECKPOINT_UNUSABLE when the index is not one, or names a file that the repository does not have
 */
export function shardsOf(repository: string, indexJson: string, files: readonly RemoteFile[]): RemoteFile[] {
  let map: unknown
  try {
    map = (JSON.parse(indexJson) as { weight_map?: unknown }).weight_map
  } catch (cause) {
    throw new ToolError('CHECKPOINT_UNUSABLE', `${INDEX} of ${repository} is not JSON.`, {}, cause)
  }
  if (typeof map !== 'object' || map === null || Object.keys(map).length === 0) {
    throw unusable(`${INDEX} of ${repository} has no weight_map.`)
  }
  const named = new Map(files.map((file) => [file.path, file]))
  return [...new Set(Object.values(map))].sort().map((name) => {
    const shard = named.get(String(name))
    if (shard?.path.endsWith('.safetensors')) return shard
    throw unusable(`${INDEX} of ${repository} names ${String(name)}, which the repository does not have.`)
  })
}

function withoutSafetensors(repository: string, files: readonly RemoteFile[]): ToolError {
  const pickles = files.filter(({ path }) => /\.(bin|pt|pth|ckpt)$/.test(path)).map(({ path }) => path)
  if (pickles.length === 0) return unusable(`${repository} holds no weights in safetensors.`)
  const message =
    `${repository} holds its weights only as pickle (${pickles[0]}), a format that can run code when it is read; ` +
    'it is not read here. Look for a revision with safetensors (--revision refs/pr/N), or convert the files ' +
    'and export the folder: docs/models.md says how.'
  return unusable(message)
}

function unusable(message: string): ToolError {
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}
