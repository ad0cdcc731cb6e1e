import { type OnnxEncoder, openOnnxEncoder } from '../../src/encoder/onnx/onnx-encoder.ts'
import { encoderContract } from '../contract/encoder.ts'
import { tinyModel } from '../fixtures/tiny-model.ts'

encoderContract('ONNX Runtime, the paper’s prompts', {
  open: async (limits): Promise<OnnxEncoder> =>
    openOnnxEncoder({
      modelFolder: await tinyModel('mha-paper', { maxBodyTokens: 48 }),
      device: 'cpu',
      intraOpThreads: 1,
      limits: limits ?? {},
    }),
  word: 'the',
  specialTokens: ['<s>', '</s>', '<unk>'],
})

encoderContract('ONNX Runtime, the released prompts', {
  open: async (limits): Promise<OnnxEncoder> =>
    openOnnxEncoder({
      modelFolder: await tinyModel('gqa-released', { maxBodyTokens: 48 }),
      device: 'cpu',
      intraOpThreads: 1,
      limits: limits ?? {},
    }),
  word: 'the',
  specialTokens: ['<s>', '</s>', '<unk>', '<s1>', '<s16>'],
})
