import { openOnnxEncoder } from '../../../src/encoder/onnx/onnx-encoder.ts'
import type { ExportOptions } from '../../../src/tools/export/export-options.ts'
import { encoderContract } from '../../contract/encoder.ts'
import { type CheckpointName, tinyModel } from '../../fixtures/tiny-model.ts'

const MODELS: [string, CheckpointName, Partial<ExportOptions>, string[]][] = [
  ['the paper’s prompts', 'mha-paper', {}, []],
  ['the released prompts', 'gqa-released', {}, ['<s1>', '<s16>']],
  ['int8', 'gqa-paper', { precision: 'int8' }, []],
]

for (const [name, checkpoint, options, specialTokens] of MODELS) {
  encoderContract(`ONNX Runtime, ${name}`, {
    open: async (limits) =>
      openOnnxEncoder({
        modelFolder: await tinyModel(checkpoint, { maxBodyTokens: 48, ...options }),
        device: 'cpu',
        intraOpThreads: 1,
        limits: limits ?? {},
      }),
    word: 'the',
    specialTokens: ['<s>', '</s>', '<unk>', ...specialTokens],
  })
}
