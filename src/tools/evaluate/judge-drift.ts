import type { OnnxEncoder } from '../../encoder/onnx/onnx-encoder.ts'
import { modelFolder } from '../../model/find-model.ts'
import type { Options } from './command/options.ts'
import { compareVectors, embedSample } from './figures/set-drift.ts'
import type { BeirSet } from './judged-set/beir-set.ts'
import { sampleTexts } from './judged-set/text-sample.ts'
import type { Report } from './report/report.ts'
import { withModel } from './systems/local-model.ts'

/** Drift of an open model from the one that --against names, on the set's texts. */
export async function driftOn(
  encoder: OnnxEncoder,
  against: string,
  set: BeirSet,
  options: Options,
  run: { signal: AbortSignal; onProgress: (phase: string, done: number, total: number) => void },
): Promise<Required<Report>['drift']> {
  const sample = await sampleTexts(set, options.sample ? { documentsMax: options.sample } : {})
  const embed = (model: OnnxEncoder) =>
    embedSample(model, sample, {
      signal: run.signal,
      onProgress: (done, total) =>
        run.onProgress(`vectors of ${model.card.id} ${model.card.precision}`, done, total),
    })
  const ours = await embed(encoder)
  return withModel(modelFolder(against), options.device, async (other) => {
    const { id, precision, fingerprint } = other.card
    return {
      reference: { id, precision, fingerprint },
      whole_set:
        sample.documents.length === sample.documentsOfSet && sample.queries.length === sample.queriesOfSet,
      ...compareVectors(ours, await embed(other), sample),
    }
  })
}
