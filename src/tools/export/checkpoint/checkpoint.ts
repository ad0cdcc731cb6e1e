import { ToolError } from '../../../cli/tool-error.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import type { RawConfig } from './config-values.ts'
import { optionalJson, optionalText, requiredJson } from './json-files.ts'
import { type LlamaConfig, readLlamaConfig } from './llama-config.ts'
import { openShards } from './shards.ts'

/** A Hugging Face LLaMA folder, opened and found complete. */
export interface Checkpoint extends WeightSource {
  readonly config: LlamaConfig
  /** Text of tokenizer.json, as it is. */
  readonly tokenizerJson: string
  /** tokenizer_config.json, or nothing. */
  readonly tokenizerConfig: RawConfig
  /** config.json, for what is not architecture. */
  readonly rawConfig: RawConfig
  /** training.json: how the checkpoint was made, for the card. */
  readonly training: unknown
  /** What its files leave to say, for people. */
  readonly notes: readonly string[]
  close(): Promise<void>
}

/**
 * Opens a checkpoint folder: config.json, tokenizer.json, `model.safetensors` or shards with
 * `model.safetensors.index.json`. Everything is checked here, before anything is written.
 * @throws ToolError CHECKPOINT_UNUSABLE naming the file, key or tensor at fault
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const rawConfig = await requiredJson(folder, 'config.json')
  const config = readLlamaConfig(rawConfig)
  const tokenizerJson = await optionalText(folder, 'tokenizer.json')
  if (tokenizerJson === undefined) {
    throw new ToolError(
      'CHECKPOINT_UNUSABLE',
      'The checkpoint has no tokenizer.json. Load its tokenizer with transformers and save it as a fast tokenizer.',
    )
  }
  const tokenizerConfig = (await optionalJson(folder, 'tokenizer_config.json')) ?? {}
  const training = await optionalJson(folder, 'training.json')
  const weights = await openShards(folder, config)
  return {
    config,
    rawConfig,
    tokenizerJson,
    tokenizerConfig,
    training,
    notes: weights.note === undefined ? [] : [weights.note],
    read: (name) => weights.read(name),
    bands: (name) => weights.bands(name),
    close: () => weights.close(),
  }
}
