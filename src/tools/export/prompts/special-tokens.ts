import type { Checkpoint } from '../checkpoint/checkpoint.ts'

interface TokenizerFile {
  post_processor?: PostProcessor | null
}

interface PostProcessor {
  type?: string
  processors?: PostProcessor[]
  single?: { SpecialToken?: { id?: string } }[]
}

interface NamedToken {
  token: string
  id: number
}

/** Classes that put a BOS first unless the configuration says otherwise. */
const BOS_BY_DEFAULT = [
  'LlamaTokenizer',
  'LlamaTokenizerFast',
  'CodeLlamaTokenizer',
  'CodeLlamaTokenizerFast',
]

/** Their BOS and EOS, where tokenizer_config.json does not name them. */
const OF_CLASS = { bos: '<s>', eos: '</s>' }

type TokenizerFacts = Pick<Checkpoint, 'tokenizerJson' | 'tokenizerConfig'>

/**
 * The BOS the model was trained with at the start of a text, if any. Tokenizer libraries disagree on adding it,
 * so it is read from the checkpoint's files: `add_bos_token` where stated, else the post-processor, else what the
 * tokenizer's class does.
 */
export function beginningOfSequence(
  { tokenizerJson, tokenizerConfig }: TokenizerFacts,
  ids: ReadonlyMap<string, number>,
): NamedToken | undefined {
  const bos = namedToken({ tokenizerConfig }, 'bos', ids)
  if (!bos) return undefined
  const ofClass = isOfClass(tokenizerConfig)
  const stated = tokenizerConfig['add_bos_token']
  const processor = (JSON.parse(tokenizerJson) as TokenizerFile).post_processor
  const wanted =
    typeof stated === 'boolean' ? stated : startsWith(processor, bos.token) || (!processor && ofClass)
  return wanted ? bos : undefined
}

/** The BOS or EOS that the tokenizer has, whether it adds it to a text or not. */
export function namedToken(
  { tokenizerConfig }: Pick<TokenizerFacts, 'tokenizerConfig'>,
  which: 'bos' | 'eos',
  ids: ReadonlyMap<string, number>,
): NamedToken | undefined {
  const named = tokenizerConfig[`${which}_token`]
  const token = named === undefined && isOfClass(tokenizerConfig) ? OF_CLASS[which] : contentOf(named)
  const id = token === undefined ? undefined : ids.get(token)
  return token === undefined || id === undefined ? undefined : { token, id }
}

function isOfClass(tokenizerConfig: TokenizerFacts['tokenizerConfig']): boolean {
  return BOS_BY_DEFAULT.includes(String(tokenizerConfig['tokenizer_class']))
}

/** The id that fills the right of shorter rows: the pad token, else the EOS, else the first id. */
export function padId(
  { tokenizerConfig, rawConfig }: Pick<Checkpoint, 'tokenizerConfig' | 'rawConfig'>,
  ids: ReadonlyMap<string, number>,
  vocabularySize: number,
): number {
  const named = ['pad_token', 'eos_token'].map((key) => ids.get(contentOf(tokenizerConfig[key]) ?? ''))
  const candidates = [rawConfig['pad_token_id'], ...named, 0]
  return candidates.find((id): id is number => typeof id === 'number' && id >= 0 && id < vocabularySize) ?? 0
}

function startsWith(processor: PostProcessor | null | undefined, token: string): boolean {
  if (!processor) return false
  if (processor.processors) return processor.processors.some((inner) => startsWith(inner, token))
  return processor.single?.[0]?.SpecialToken?.id === token
}

/** Token fields are a string, or an object with the string inside. */
function contentOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const content = (value as { content?: unknown } | null | undefined)?.content
  return typeof content === 'string' ? content : undefined
}
