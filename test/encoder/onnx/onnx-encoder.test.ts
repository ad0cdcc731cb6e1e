import type { Encoder } from '../../../src/encoder/encoder.ts'
import { openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import { measuredEncoder } from '../../../src/telemetry/measured-encoder.ts'
import { Metrics } from '../../../src/telemetry/metrics.ts'
import type { ExportOptions } from '../../../src/tools/export/export-options.ts'
import { encoderContract } from '../../contract/encoder/contract.ts'
import { type CheckpointName, tinyModel } from '../../fixtures/tiny-model.ts'

interface Subject {
  name: string
  checkpoint: CheckpointName
  options?: Partial<ExportOptions>
  specialTokens?: string[]
  wrap?: (encoder: Encoder) => Encoder
}

const SUBJECTS: Subject[] = [
  { name: 'the paper’s prompts', checkpoint: 'mha-paper' },
  { name: 'the released prompts', checkpoint: 'gqa-released', specialTokens: ['<s1>', '<s16>'] },
  { name: 'prompts that begin differently', checkpoint: 'gqa-paper', options: { template: 'repllama' } },
  {
    name: 'int8, measured from outside',
    checkpoint: 'gqa-paper',
    options: { precision: 'int8' },
    wrap: (encoder) => measuredEncoder(encoder, new Metrics()),
  },
]

for (const {
  name,
  checkpoint,
  options,
  specialTokens = [],
  wrap = (encoder: Encoder) => encoder,
} of SUBJECTS) {
  encoderContract(`ONNX Runtime, ${name}`, {
    async open(limits = {}) {
      const modelFolder = await tinyModel(checkpoint, { maxBodyTokens: 48, ...options })
      return wrap(await openOnnxEncoder({ modelFolder, device: 'cpu', intraOpThreads: 1, limits }))
    },
    word: 'the',
    specialTokens: ['<s>', '</s>', '<unk>', ...specialTokens],
  })
}
