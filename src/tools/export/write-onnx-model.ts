import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MODEL_FILES } from '../../model/card.ts'
import type { Arithmetic } from './arithmetic/arithmetic.ts'
import type { LlamaConfig } from './checkpoint/llama-config.ts'
import { buildLlama, type Sites } from './llama/build-llama.ts'
import type { OutputHead } from './llama/output-head.ts'
import { OnnxBuilder } from './onnx/onnx-builder.ts'
import { encodeModel } from './onnx/schema.ts'
import { ExternalSink, InlineSink } from './onnx/tensor-sink.ts'
import type { WeightSource } from './weights/weight-source.ts'

export interface OnnxModelOptions {
  config: LlamaConfig
  weights: WeightSource
  arithmetic: Arithmetic
  head: OutputHead
  /** Longest row the model must take. */
  positions: number
  /** Weights beside model.onnx as external data, written tensor by tensor. */
  external: boolean
  /** Gives every site's activations as further outputs, for calibration. */
  tapped?: boolean
  onLayer?: (layer: number) => void
}

/** Writes model.onnx, and model.onnx.data when weights are external. Returns the site names' values. */
export async function writeOnnxModel(folder: string, options: OnnxModelOptions): Promise<Sites> {
  const sink = options.external
    ? await ExternalSink.create(join(folder, MODEL_FILES.weights), MODEL_FILES.weights)
    : new InlineSink()
  try {
    const onnx = new OnnxBuilder('llara', sink)
    const sites = await buildLlama({ ...options, onnx })
    if (options.tapped) for (const value of sites.values()) onnx.output(value, 'float')
    await writeFile(join(folder, MODEL_FILES.model), encodeModel(onnx.proto), { flag: 'wx', flush: true })
    return sites
  } finally {
    await sink.close()
  }
}
