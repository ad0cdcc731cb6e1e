import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolError } from '../../cli/tool-error.ts'
import { type Card, type CardKind, MODEL_FILES } from '../../model/card.ts'
import { damagedFiles } from '../../model/check-files.ts'
import { adaptedCheckpoint } from './adapter/adapted-checkpoint.ts'
import { FloatArithmetic } from './arithmetic/float-arithmetic.ts'
import { WeightOnlyArithmetic } from './arithmetic/weight-only-arithmetic.ts'
import { SENTENCES } from './calibration/sentences.ts'
import { type CalibratedQuality, writeCalibrated } from './calibration/write-calibrated.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint/checkpoint.ts'
import { checkEmbeddedAdapter } from './checkpoint/embedded-adapter.ts'
import { measureDrift } from './drift/measure-drift.ts'
import type { ExportOptions } from './export-options.ts'
import { buildCard } from './folder/build-card.ts'
import { writeFolderAtomically } from './folder/write-folder.ts'
import {
  type Compiled,
  checkFolder,
  checkpointNeeds,
  compile,
  longestRow,
  outputHead,
  type TemplateName,
} from './prompts/compiled.ts'
import { chooseScheme, type Precision, type Scheme } from './quantisation/scheme.ts'
import type { PairTemplateName } from './reranking/pair-templates.ts'
import { parameterCount, storedBytes } from './sizes.ts'
import { checkedWeights } from './weights/checked-weights.ts'
import { writeOnnxModel } from './write-onnx-model.ts'

/** What a template's kind of model has for a card. */
type CardOf<Template> = Template extends PairTemplateName ? Card<'reranker'> : Card<'encoder'>
type AnyOptions = ExportOptions<TemplateName>

const INLINE_BYTES_MAX = 128 * 1024 * 1024

/**
 * Turns a LLaMA checkpoint into a model folder that the encoder can load, or the reranker: the template decides. Nothing is written before the checkpoint, its
 * tokenizer and the template have been found to fit; the folder appears whole or not at all. Weights pass through
 * memory one tensor at a time.
 *
 * @returns the card that was written
 * @throws ToolError CHECKPOINT_UNUSABLE (checkpoint not supported or damaged, named), INVALID_INPUT (`out` exists),
 *   UNAVAILABLE (no room on the disk)
 */
export async function exportModel<Template extends TemplateName>(
  options: ExportOptions<Template>,
): Promise<CardOf<Template>> {
  const { adapter } = options
  checkEmbeddedAdapter(options.checkpoint, adapter)
  await checkFolder(options.checkpoint, options.template)
  const base = await openCheckpoint(options.checkpoint, checkpointNeeds(options), adapter !== undefined)
  const whole = adapter === undefined ? base : await adaptedCheckpoint(base, adapter)
  const checkpoint = { ...whole, ...checkedWeights(whole, options.precision) }
  try {
    const { config, notes } = checkpoint
    for (const note of notes) options.onProgress?.(note)
    const scheme = chooseScheme(options.precision, parameterCount(config), options.quantisation)
    const compiled = await compile(checkpoint, options)
    let card: Card<CardKind> | undefined
    const folderOptions = {
      overwrite: options.overwrite ?? false,
      bytes: bytesOnTheWay(checkpoint, options, scheme),
      check: (folder: string) => checkWritten(folder, card!),
    }
    await writeFolderAtomically(options.out, folderOptions, async (folder) => {
      const measured = await writeModel(folder, { checkpoint, compiled, scheme, options })
      const quality = measured || options.quality ? { ...options.quality, ...measured } : undefined
      await writeFile(join(folder, MODEL_FILES.tokenizer), checkpoint.tokenizerJson, { flag: 'wx' })
      card = await buildCard(folder, checkpoint, compiled, options, { scheme, quality })
      await writeFile(join(folder, MODEL_FILES.card), `${JSON.stringify(card, null, 2)}\n`, { flag: 'wx' })
    })
    return card! as CardOf<Template>
  } finally {
    await checkpoint.close()
  }
}

/** What was written must read back as what the card says, before it takes the place of anything. */
async function checkWritten(folder: string, { files }: Card<CardKind>): Promise<void> {
  const faults = await damagedFiles(folder, files)
  if (faults.length === 0) return
  const message = `What was written cannot be read back: ${faults.join('; ')}. Check the disk and export again.`
  throw new ToolError('NOT_WRITABLE', message)
}

/** Calibration, and measuring the drift, need the model in fp32 beside the one that is written. */
function bytesOnTheWay({ config }: Checkpoint, options: AnyOptions, scheme?: Scheme): number {
  const compared = scheme?.kind === 'calibrated' || options.driftTexts !== undefined
  return storedBytes(config, options.precision, scheme) + (compared ? storedBytes(config, 'fp32') : 0)
}

interface Writing {
  checkpoint: Checkpoint
  compiled: Compiled
  scheme: Scheme | undefined
  options: AnyOptions
}

/** Writes the ONNX model; returns what was measured on the way. */
async function writeModel(folder: string, writing: Writing): Promise<Partial<CalibratedQuality> | undefined> {
  const { checkpoint, compiled, scheme, options } = writing
  const { config } = checkpoint
  const { precision, inlineBytesMax = INLINE_BYTES_MAX } = options
  const onProgress = options.onProgress ?? (() => {})
  const isExternal = (of: Precision, by?: Scheme) => storedBytes(config, of, by) > inlineBytesMax
  const shape = {
    config,
    head: await outputHead(checkpoint, compiled),
    positions: Math.ceil(longestRow(compiled) / 64) * 64,
    external: isExternal(precision, scheme),
    onLayer: (layer: number) => onProgress(`layer ${layer + 1} of ${config.layers}`),
  }
  const model = { checkpoint, compiled, shape, externalReference: isExternal('fp32'), onProgress }
  const { driftTexts, calibrationTexts: texts = SENTENCES } = options
  if (scheme?.kind === 'calibrated') return writeCalibrated(folder, model, { texts, driftTexts })
  const arithmetic = scheme
    ? new WeightOnlyArithmetic(config, checkpoint, scheme)
    : new FloatArithmetic(precision === 'fp16' ? 'float16' : 'float', config, checkpoint)
  await writeOnnxModel(folder, { ...shape, weights: checkpoint, arithmetic })
  if (!driftTexts || precision === 'fp32') return undefined
  return { drift: await measureDrift(folder, model, driftTexts) }
}
