import { ToolError } from '../../../cli/tool-error.ts'
import type { RawConfig } from '../checkpoint/config-values.ts'
import type { AddedToken } from './added-tokens.ts'

/** Classes that give a text to SentencePiece as it is. */
const PLAIN_CLASSES = ['LlamaTokenizer', 'LlamaTokenizerFast', 'CodeLlamaTokenizer', 'CodeLlamaTokenizerFast']

/** Classes that say nothing: they read a tokenizer.json. */
const GENERIC_CLASSES = ['PreTrainedTokenizerFast', 'TokenizersBackend']

/** The class with which transformers reads a LLaMA checkpoint's tokenizer.model. */
export function tokenizerClass({ tokenizer_class: named }: RawConfig): unknown {
  return named === undefined || named === null || GENERIC_CLASSES.includes(String(named))
    ? PLAIN_CLASSES[0]
    : named
}

/**
 * Around a tokenizer.model, a checkpoint's tokenizer class may change texts. Only what gives them to SentencePiece
 * unchanged is taken.
 *
 * @param beside added tokens that are not special
 * @throws ToolError CHECKPOINT_UNUSABLE naming the setting
 */
export function checkTokenizerClass(config: RawConfig, beside: readonly AddedToken[]): void {
  const name = tokenizerClass(config)
  if (!PLAIN_CLASSES.includes(String(name))) throw unsupported(`names the class ${String(name)}`)
  if (config['add_prefix_space'] === false)
    throw unsupported('puts no space before a text (add_prefix_space)')
  const options = config['sp_model_kwargs']
  if (typeof options === 'object' && options !== null && Object.keys(options).length > 0) {
    throw unsupported('gives SentencePiece options of its own (sp_model_kwargs)')
  }
  // Behind an added token the old behaviour puts a space and the new one none, which the library cannot do.
  if (config['legacy'] === false && beside.length > 0) {
    throw unsupported(`has legacy false and adds ${beside[0]!.content}, which is not special`)
  }
}

function unsupported(fault: string): ToolError {
  const message = `tokenizer_config.json ${fault}, which cannot be made from tokenizer.model alone. Export with a tokenizer.json that gives the ids the model was trained with.`
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}
