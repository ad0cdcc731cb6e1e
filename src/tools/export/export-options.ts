import type { Card } from '../../model/card.ts'
import type { TemplateName } from './prompts/compiled.ts'
import type { ExpectedIds } from './prompts/expected-prompts.ts'
import type { PromptTemplateName } from './prompts/templates.ts'
import type { Quantisation } from './quantisation/scheme.ts'

export interface ExportOptions<Template extends TemplateName = PromptTemplateName> {
  /** A Hugging Face LLaMA folder: config.json, safetensors (sharded or not), tokenizer.json or tokenizer.model. */
  checkpoint: string
  /** A LoRA adapter in peft's layout (adapter_config.json, adapter_model.safetensors), merged on the way. */
  adapter?: string
  /** The model folder to write, e.g. `models/llara-mini`. */
  out: string
  /** Default: the name of `out`. */
  id?: string
  precision: Card['precision']
  /** How int8 is made; default calibrated, or weight-only for models too large to run in fp32. int4 has one way. */
  quantisation?: Quantisation
  /** Decides what the model is for, too. */
  template: Template
  licence: string
  /** Where the checkpoint came from, for people. */
  source: string
  /** Longest text. Default: the template's (512), or what the model's positions leave room for. */
  maxBodyTokens?: number
  /** Prompt ids the tokenizer must give, where they are known. */
  expectedIds?: ExpectedIds
  /** Texts that int8's activation ranges are measured on; default a built-in list of English sentences. */
  calibrationTexts?: readonly string[]
  /**
   * Texts to measure on how far the vectors drift from fp32, for the card. Takes 4 bytes of disk a parameter for the
   * time being, and as much memory. Without them only calibrated int8 is measured, on texts held out of calibration.
   */
  driftTexts?: readonly string[]
  /** Figures measured elsewhere, such as an evaluation, for the card; not part of the fingerprint. */
  quality?: Record<string, unknown>
  /** Replace `out` if it exists. */
  overwrite?: boolean
  /** Weights over this many bytes go beside model.onnx, not inside; default 128 MiB, as that file is made in memory. */
  inlineBytesMax?: number
  onProgress?: (step: string) => void
}
