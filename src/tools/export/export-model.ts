import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Card, MODEL_FILES } from '../../model/card.ts'
import { adaptedCheckpoint } from './adapter/adapted-checkpoint.ts'
import { FloatArithmetic } from './arithmetic/float-arithmetic.ts'
import { WeightOnlyArithmetic } from './arithmetic/weight-only-arithmetic.ts'
import { SENTENCES } from './calibration/sentences.ts'
import { type Int8Quality, writeInt8 } from './calibration/write-calibrated.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.ts'
import { measureDrift } from './drift/measure-drift.ts'
import type { ExportOptions } from './export-options.ts'
import { buildCard } from './folder/build-card.ts'
import { writeFolderAtomically } from './folder/write-folder.ts'
import { parameterCount } from './parameter-count.ts'
import { type CompiledPrompts, compilePrompts } from './prompts/compile-prompts.ts'
import { TEMPLATES } from './prompts/templates.ts'
import { chooseScheme, type Scheme } from './quantisation/scheme.ts'
import { storedBytes } from './sizes.ts'
import { writeGraph } from './write-onnx-model.ts'

const INLINE_BYTES_MAX = 128 * 1024 * 1024

/**
 * Turns a LLaMA checkpoint into a model folder the encoder can load. Nothing is written before the checkpoint, its
 * tokenizer and the template have been found to fit; the folder appears whole or not at all. Weights pass through
 * memory one tensor at a time.
 *
 * @returns the card that was written
 * @throws ToolError CHECKPOINT_UNUSABLE (checkpoint not supported or damaged, named), INVALID_INPUT (`out` exists),
 *   UNAVAILABLE (no room on the disk)
 */
export async function exportModel(options: ExportOptions): Promise<Card> {
  const base = await openCheckpoint(options.checkpoint)
  const checkpoint = options.adapter === undefined ? base : await adaptedCheckpoint(base, options.adapter)
  try {
    const { config } = checkpoint
    const scheme = chooseScheme(options.precision, parameterCount(config), options.quantisation)
    const template = TEMPLATES[options.template]
    const compiled = await compilePrompts(
      checkpoint,
      template,
      options.maxBodyTokens,
      options.expectedPrompts,
    )
    let card: Card | undefined
    const room = { overwrite: options.overwrite ?? false, bytes: bytesOnTheWay(checkpoint, options, scheme) }
    await writeFolderAtomically(options.out, room, async (folder) => {
      const measured = await writeModel(folder, { checkpoint, compiled, scheme, options })
      const quality = measured || options.quality ? { ...options.quality, ...measured } : undefined
      await writeFile(join(folder, MODEL_FILES.tokenizer), checkpoint.tokenizerJson, { flag: 'wx' })
      card = await buildCard(folder, checkpoint, compiled, options, { scheme, quality })
      await writeFile(join(folder, MODEL_FILES.card), `${JSON.stringify(card, null, 2)}\n`, { flag: 'wx' })
    })
    return card!
  } finally {
    await checkpoint.close()
  }
}

/** Calibration, and measuring the drift, need the model in fp32 beside the one that is written. */
function bytesOnTheWay({ config }: Checkpoint, options: ExportOptions, scheme?: Scheme): number {
  const compared = scheme?.kind === 'calibrated' || options.driftTexts !== undefined
  return storedBytes(config, options.precision, scheme) + (compared ? storedBytes(config, 'fp32') : 0)
}

interface Writing {
  checkpoint: Checkpoint
  compiled: CompiledPrompts
  scheme: Scheme | undefined
  options: ExportOptions
}

/** Writes graph and weights; returns what was measured on the way. */
async function writeModel(folder: string, writing: Writing): Promise<Partial<Int8Quality> | undefined> {
  const { checkpoint, compiled, scheme, options } = writing
  const { config } = checkpoint
  const { precision, inlineBytesMax = INLINE_BYTES_MAX } = options
  const onProgress = options.onProgress ?? (() => {})
  const shape = {
    config,
    pooledTokens: compiled.pooledTokens,
    positions: longestRow(compiled),
    external: storedBytes(config, precision, scheme) > inlineBytesMax,
    onLayer: (layer: number) => onProgress(`layer ${layer + 1} of ${config.layers}`),
  }
  const externalReference = storedBytes(config, 'fp32') > inlineBytesMax
  if (scheme?.kind === 'calibrated') {
    const texts = options.calibrationTexts ?? SENTENCES
    const { driftTexts } = options
    return writeInt8(folder, {
      checkpoint,
      compiled,
      texts,
      driftTexts,
      shape,
      externalReference,
      onProgress,
    })
  }
  const arithmetic = scheme
    ? new WeightOnlyArithmetic(config, checkpoint, scheme)
    : new FloatArithmetic(precision === 'fp16' ? 'float16' : 'float', config, checkpoint)
  await writeGraph(folder, { ...shape, weights: checkpoint, arithmetic })
  const { driftTexts: texts } = options
  if (!texts || precision === 'fp32') return undefined
  return {
    drift: await measureDrift(folder, { checkpoint, compiled, texts, shape, externalReference, onProgress }),
  }
}

/** Rows are padded to their batch's longest; the joint pass has both suffixes. Rounded up to leave slack. */
function longestRow({ prompts: { ebae, ebar } }: CompiledPrompts): number {
  const tokens =
    ebae.prefixIds.length +
    Math.max(ebae.maxBodyTokens, ebar.maxBodyTokens) +
    ebae.suffixIds.length +
    ebar.suffixIds.length
  return Math.ceil(tokens / 64) * 64
}
