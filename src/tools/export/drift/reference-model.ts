import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FloatArithmetic } from '../arithmetic/float-arithmetic.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import type { Sites } from '../llama/build-llama.ts'
import type { Compiled } from '../prompts/compiled.ts'
import { type OnnxModelOptions, writeOnnxModel } from '../write-onnx-model.ts'

/** What a model that is being written has in common with the same model in fp32. */
export interface WrittenModel {
  checkpoint: Checkpoint
  compiled: Compiled
  shape: Omit<OnnxModelOptions, 'weights' | 'arithmetic'>
  /** Whether the weights of the fp32 model are too large to be inside it. */
  externalReference: boolean
  onProgress: (step: string) => void
}

/**
 * Writes the model in fp32 to a folder within `folder`, and removes it when `use` is done.
 * @param options.tapped gives every site's activations as further outputs, by the names in `sites`
 */
export async function withReferenceModel<T>(
  folder: string,
  { checkpoint, shape, externalReference }: WrittenModel,
  { tapped }: { tapped: boolean },
  use: (reference: string, sites: Sites) => Promise<T>,
): Promise<T> {
  const reference = await mkdtemp(join(folder, 'reference-'))
  try {
    const sites = await writeOnnxModel(reference, {
      ...shape,
      external: externalReference,
      weights: checkpoint,
      arithmetic: new FloatArithmetic('float', shape.config, checkpoint),
      tapped,
    })
    return await use(reference, sites)
  } finally {
    await rm(reference, { recursive: true, force: true })
  }
}
