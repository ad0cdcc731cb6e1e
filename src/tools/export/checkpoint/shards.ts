import { basename, join } from 'node:path'
import { ToolError } from '../../../cli/tool-error.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { optionalJson } from './json-files.ts'
import type { LlamaConfig } from './llama-config.ts'
import { SafetensorsFile } from './safetensors.ts'
import { expectedTensors } from './tensor-names.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
/** `LlamaForCausalLM` prefixes its tensors, a bare `LlamaModel` does not. */
const PREFIX = 'model.'
/** Stored by some checkpoints and not needed: the LM head, and frequencies that follow from the config. */
const UNUSED = /^(lm_head\.weight|.*rotary_emb\.inv_freq)$/

interface Shards extends WeightSource {
  close(): Promise<void>
}

/** Opens all weight files, and checks that every tensor is there, in its shape, and none is unknown. */
export async function openShards(folder: string, config: LlamaConfig): Promise<Shards> {
  const files: SafetensorsFile[] = []
  const close = async () => {
    await Promise.all(files.map((file) => file.close()))
  }
  try {
    const home = new Map<string, SafetensorsFile>()
    for (const name of await weightFiles(folder)) {
      const file = await SafetensorsFile.open(join(folder, name))
      files.push(file)
      for (const tensor of file.tensors.keys()) home.set(tensor, file)
    }
    const names = checkedNames(home, config)
    const stored = (name: string) => names.get(name)!
    return {
      read: (name) => home.get(stored(name))!.read(stored(name)),
      bands: (name) => home.get(stored(name))!.bands(stored(name)),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function weightFiles(folder: string): Promise<string[]> {
  const index = await optionalJson(folder, INDEX)
  if (!index) return [SINGLE]
  const map = index['weight_map']
  if (typeof map !== 'object' || map === null) {
    throw new ToolError('CHECKPOINT_UNUSABLE', `${INDEX} has no weight_map.`)
  }
  const names = [...new Set(Object.values(map))]
  for (const name of names) {
    if (typeof name !== 'string' || basename(name) !== name) {
      throw new ToolError(
        'CHECKPOINT_UNUSABLE',
        `${INDEX} points outside the checkpoint folder: ${String(name)}.`,
      )
    }
  }
  return names as string[]
}

/** Stored name of every tensor that is exported. */
function checkedNames(home: ReadonlyMap<string, SafetensorsFile>, config: LlamaConfig): Map<string, string> {
  const names = new Map<string, string>()
  for (const [name, shape] of expectedTensors(config)) {
    const stored = [PREFIX + name, name].find((candidate) => home.has(candidate))
    if (!stored)
      throw new ToolError('CHECKPOINT_UNUSABLE', `The checkpoint lacks tensor ${PREFIX}${name}.`, {
        tensor: name,
      })
    const found = home.get(stored)!.tensors.get(stored)!.shape
    if (found.join() !== shape.join()) {
      const message = `Tensor ${stored} has shape [${found}]; config.json asks for [${shape}].`
      throw new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: name })
    }
    names.set(name, stored)
  }
  const known = new Set(names.values())
  const foreign = [...home.keys()].find((name) => !known.has(name) && !UNUSED.test(name))
  if (foreign) {
    const message = `Tensor ${foreign} is not part of a plain LLaMA. Merge adapters and remove heads before exporting.`
    throw new ToolError('CHECKPOINT_UNUSABLE', message, { tensor: foreign })
  }
  return names
}
