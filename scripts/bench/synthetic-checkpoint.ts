import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { LlamaConfig } from '../../src/tools/export/checkpoint/llama-config.ts'
import { EMBEDDING, expectedTensors } from '../../src/tools/export/checkpoint/tensor-names.ts'

interface SyntheticCheckpoint {
  /** config.json as Hugging Face has it. */
  config: Record<string, number | string>
  tokenizerJson: string
  /** A shard is closed when the next tensor would make it longer. */
  shardBytesMax: number
}

export type Dimensions = Pick<LlamaConfig, 'hiddenSize' | 'intermediateSize' | 'layers' | 'vocabularySize'>

/** LLaMA-2's proportions: heads of 128, no biases. */
export function llamaConfig({ hiddenSize, intermediateSize, layers, vocabularySize }: Dimensions) {
  return {
    model_type: 'llama',
    hidden_size: hiddenSize,
    intermediate_size: intermediateSize,
    num_hidden_layers: layers,
    num_attention_heads: Math.max(1, hiddenSize / 128),
    vocab_size: vocabularySize,
    max_position_embeddings: 4096,
    rms_norm_eps: 1e-5,
  }
}

/** Bytes of repeated noise; a prime number of words, so that rows differ. */
const NOISE_WORDS = 524_287

/**
 * Writes a checkpoint of random bfloat16 weights in shards with their index, in constant memory.
 * @returns bytes of all weights
 */
export function writeSyntheticCheckpoint(
  folder: string,
  config: LlamaConfig,
  { config: raw, tokenizerJson, shardBytesMax }: SyntheticCheckpoint,
): number {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(raw))
  writeFileSync(join(folder, 'tokenizer.json'), tokenizerJson)
  const shards: [name: string, shape: number[]][][] = [[]]
  let filled = 0
  for (const [name, shape] of expectedTensors(config)) {
    const bytes = bytesOf(shape)
    if (filled > 0 && filled + bytes > shardBytesMax) {
      shards.push([])
      filled = 0
    }
    shards.at(-1)!.push([`model.${name}`, shape])
    filled += bytes
  }
  const weightMap: Record<string, string> = {}
  const matrix = noise(0.02)
  const embedding = noise(1)
  const ones = new Uint16Array(NOISE_WORDS).fill(0x3f80)
  let total = 0
  shards.forEach((tensors, index) => {
    const number = (count: number) => String(count).padStart(5, '0')
    const file = `model-${number(index + 1)}-of-${number(shards.length)}.safetensors`
    const handle = openSync(join(folder, file), 'wx')
    writeSync(handle, header(tensors))
    for (const [name, shape] of tensors) {
      weightMap[name] = file
      const values = shape.length === 1 ? ones : name.endsWith(EMBEDDING) ? embedding : matrix
      writeRepeated(handle, values, bytesOf(shape))
      total += bytesOf(shape)
    }
    closeSync(handle)
  })
  const index = { metadata: { total_size: total }, weight_map: weightMap }
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index))
  return total
}

function bytesOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 2)
}

function header(tensors: readonly [name: string, shape: number[]][]): Buffer {
  const entries: Record<string, unknown> = {}
  let at = 0
  for (const [name, shape] of tensors) {
    const end = at + bytesOf(shape)
    entries[name] = { dtype: 'BF16', shape, data_offsets: [at, end] }
    at = end
  }
  const json = Buffer.from(JSON.stringify(entries))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json])
}

/** bfloat16 numbers, even in [-1, 1) times `size`, the same in every run (Lehmer, modulus 2^31 - 1). */
function noise(size: number): Uint16Array {
  let state = 1
  const floats = Float32Array.from({ length: NOISE_WORDS }, () => {
    state = (state * 48_271) % 2_147_483_647
    return ((2 * state) / 2_147_483_647 - 1) * size
  })
  return Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16)
}

function writeRepeated(handle: number, values: Uint16Array, bytes: number): void {
  const chunk = new Uint8Array(values.buffer)
  for (let left = bytes; left > 0; ) left -= writeSync(handle, chunk, 0, Math.min(left, chunk.length))
}
