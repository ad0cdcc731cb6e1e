import type { OnnxEncoder } from '../../encoder/onnx/onnx-encoder.ts'
import type { EvaluateOptions } from './evaluate-options.ts'
import { embedSample, setDrift } from './figures/set-drift.ts'
import type { Run } from './judge-set.ts'
import type { BeirSet } from './judged-set/beir-set.ts'
import { sampleTexts } from './judged-set/text-sample.ts'
import type { Report } from './report/report.ts'
import { withModel } from './systems/local-model.ts'

/**
 * Drift of an open model from another one, on the set's texts; the two are not asked at once.
 * @param against model folder
 */
export async function judgeDrift(
  encoder: OnnxEncoder,
  against: string,
  set: BeirSet,
  options: EvaluateOptions,
  run: Run,
): Promise<Required<Report>['drift']> {
  const sample = await sampleTexts(set, options.sample ? { documentsMax: options.sample } : {})
  const embed = (model: OnnxEncoder) =>
    embedSample(model, sample, {
      signal: run.signal,
      onProgress: (done, total) =>
        run.onProgress(`vectors of ${model.card.id} ${model.card.precision}`, done, total),
    })
  const ours = await embed(encoder)
  return withModel(against, options.device, async (other) => {
    const { id, precision, fingerprint } = other.card
    return {
      reference: { id, precision, fingerprint },
      whole_set:
        sample.documents.length === sample.documentsOfSet && sample.queries.length === sample.queriesOfSet,
      ...setDrift({ model: ours, reference: await embed(other) }, sample),
    }
  })
}
