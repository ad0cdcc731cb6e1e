import { choice, text, wholeNumber } from '../../cli/option.ts'
import { TEMPLATE_NAMES } from './prompts/compiled.ts'
import { PRECISIONS, QUANTISATIONS } from './quantisation/scheme.ts'

/** Options of every command that makes a model folder. */
export const MODEL_OPTIONS = {
  precision: choice(
    'P',
    PRECISIONS,
    'number format of the weights: int8 (for CPU), int4 (for CPU, large models), fp16 (for CUDA), fp32',
  ),
  quantisation: choice(
    'Q',
    QUANTISATIONS,
    'how int8 is made: calibrated (activations in 8 bits too: fastest; runs the model in fp32 once, which takes ' +
      '4 bytes of memory a parameter) or weight-only (weights in blocks of 32, nothing to calibrate); default ' +
      'calibrated up to 1e9 parameters. int4 is always weight-only',
  ),
  profile: text(
    'NAME',
    'prompts, limits and licence of a known model, such as llara-passage; the tokenizer must then give the ' +
      'prompts the ids that the model was trained with',
  ),
  template: choice(
    'T',
    TEMPLATE_NAMES,
    'the prompts the model was trained with: paper (one </s>, as in "Llama2Vec: Unsupervised Adaptation of Large ' +
      'Language Models for Dense Retrieval", ACL 2024, which made the LLaRA method), released (eight special ' +
      'tokens a side, for the public LLARA checkpoints) or repllama (query: and passage:). A reranker: rankllama ' +
      '(the released RankLLaMA), rankllama-eos (as its paper has it, </s> at the end) or yes-no (the logit of Yes ' +
      "after FlagEmbedding's question)",
  ),
  licence: text('TEXT', 'the licence the weights are under'),
  id: text('NAME', "the model's name; default the name of the folder that is written"),
  source: text('TEXT', 'where the checkpoint comes from'),
  maxBodyTokens: wholeNumber(
    'N',
    [1, 999_999],
    "longest text, the prompt not counted; default the profile's, 512, or what the model holds",
  ),
  calibration: text(
    'FILE',
    'texts to calibrate int8 on, one a line, or .jsonl with a "text" field (a reranker reads each for the one ' +
      'before it); default a built-in list of English sentences',
  ),
} as const
