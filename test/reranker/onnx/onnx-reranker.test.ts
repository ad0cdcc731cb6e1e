import { openOnnxReranker } from '../../../src/reranker/onnx/onnx-reranker.ts'
import { rerankerContract } from '../../contract/reranker/contract.ts'
import { type GoldenReranker, goldenReranker } from '../../fixtures/golden-rerankers.ts'
import type { RerankerOptions } from '../../fixtures/tiny-reranker.ts'

const SUBJECTS: [name: string, reranker: GoldenReranker, options?: RerankerOptions][] = [
  ['a classifier merged with its adapter', 'lora'],
  ['the LM head’s Yes', 'yes-no'],
  ['a classifier in int8', 'classifier', { precision: 'int8' }],
]

for (const [name, reranker, options] of SUBJECTS) {
  rerankerContract(`ONNX Runtime, ${name}`, {
    async open({ batchTokensMax, queueTextsMax } = {}) {
      const limits = {
        ...(batchTokensMax !== undefined && { rerankBatchTokensMax: batchTokensMax }),
        ...(queueTextsMax !== undefined && { rerankQueueTextsMax: queueTextsMax }),
      }
      const modelFolder = await goldenReranker(reranker, options)
      return openOnnxReranker({ modelFolder, device: 'cpu', intraOpThreads: 1, limits })
    },
    word: 'the',
    specialTokens: ['<s>', '</s>', '<unk>'],
  })
}
