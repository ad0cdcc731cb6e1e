import { readTokenizer, type TokenizerNeeds } from '../tokenizer/read-tokenizer.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import type { RawConfig } from './config-values.ts'
import { type Head, type HeadSource, headSource } from './heads.ts'
import { optionalJson, requiredJson } from './json-files.ts'
import { type LlamaConfig, readLlamaConfig } from './llama-config.ts'
import { openShards } from './shards.ts'

/** A Hugging Face LLaMA folder, opened and found complete. */
export interface Checkpoint extends WeightSource {
  readonly config: LlamaConfig
  /** What stands on top of the LLaMA, of the kind that was asked for. */
  readonly head: HeadSource
  /** Whether the head is among its tensors; always, but for the base of an adapter that may bring it. */
  readonly hasHead: boolean
  /** Text of tokenizer.json, as it is or made from tokenizer.model. */
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

export interface CheckpointNeeds {
  /** What is known of its tokenizer beforehand. */
  tokenizer?: TokenizerNeeds
  /** Default `none`. */
  head?: Head
}

/**
 * Opens a checkpoint folder: config.json, tokenizer.json or tokenizer.model, `model.safetensors` or shards with
 * `model.safetensors.index.json`. Everything is checked here, before anything is written.
 * @param headMayLack an adapter may bring the head: then `hasHead` says whether the checkpoint has it
 * @throws ToolError CHECKPOINT_UNUSABLE naming the file, key or tensor at fault
 */
export async function openCheckpoint(
  folder: string,
  { tokenizer, head: kind = 'none' }: CheckpointNeeds = {},
  headMayLack = false,
): Promise<Checkpoint> {
  const rawConfig = await requiredJson(folder, 'config.json')
  const config = readLlamaConfig(rawConfig)
  const { tokenizerJson, tokenizerConfig, tokenizerNotes } = await readTokenizer(folder, tokenizer)
  const training = await optionalJson(folder, 'training.json')
  const head = headSource(kind, config, rawConfig)
  const weights = await openShards(folder, { config, head, headMayLack })
  return {
    config,
    head,
    hasHead: weights.hasHead,
    rawConfig,
    tokenizerJson,
    tokenizerConfig,
    training,
    notes: [...tokenizerNotes, ...(weights.note === undefined ? [] : [weights.note])],
    read: (name) => weights.read(name),
    bands: (name) => weights.bands(name),
    close: () => weights.close(),
  }
}
