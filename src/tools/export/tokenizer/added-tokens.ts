import { ToolError } from '../../../cli/tool-error.ts'
import type { RawConfig } from '../checkpoint/config-values.ts'
import { PIECE_TYPE, type Piece } from './sentencepiece-model.ts'

/** A token beside the vocabulary, or one of it that is matched whole; the fields of tokenizer.json. */
export interface AddedToken {
  id: number
  content: string
  single_word: boolean
  lstrip: boolean
  rstrip: boolean
  normalized: boolean
  special: boolean
}

/** The files in which transformers keeps tokens beside a tokenizer.model. */
export interface AddedTokenFiles {
  /** tokenizer_config.json */
  tokenizerConfig: RawConfig
  /** special_tokens_map.json */
  specialTokensMap: RawConfig
  /** added_tokens.json: ids by content */
  addedTokens: RawConfig
}

const NAMED = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((name) => `${name}_token`)

/**
 * The added tokens of a checkpoint whose vocabulary is a tokenizer.model, as transformers reads them: the decoder in
 * tokenizer_config.json, else added_tokens.json; then special tokens that are named but have no id yet, which get
 * the next ones.
 *
 * @throws ToolError CHECKPOINT_UNUSABLE for entries that are not tokens with ids
 */
export function readAddedTokens(pieces: readonly Piece[], files: AddedTokenFiles): AddedToken[] {
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]))
  const tokens = new Map<string, AddedToken>()
  const named = namedSpecials(files)
  const add = (content: string, id: number, flags: Partial<AddedToken>) => {
    tokens.set(content, { ...PLAIN, special: named.has(content), ...flags, id, content, normalized: false })
  }
  pieces.forEach(({ piece, type }, id) => {
    if (type === PIECE_TYPE.control || type === PIECE_TYPE.unknown) add(piece, id, { special: true })
  })
  const decoder = files.tokenizerConfig['added_tokens_decoder']
  if (decoder === undefined) {
    for (const [content, id] of Object.entries(files.addedTokens)) {
      add(content, checkedId('added_tokens.json', id), {})
    }
  } else {
    for (const [id, token] of Object.entries(record(decoder, 'added_tokens_decoder'))) {
      add(contentOf(token), checkedId('added_tokens_decoder', Number(id)), flagsOf(token))
    }
  }
  let next = Math.max(pieces.length - 1, ...[...tokens.values()].map(({ id }) => id)) + 1
  for (const content of named) {
    if (tokens.has(content)) continue
    const id = ids.get(content) ?? next++
    add(content, id, { special: true })
  }
  return [...tokens.values()]
}

const PLAIN = { single_word: false, lstrip: false, rstrip: false }

function namedSpecials({ tokenizerConfig, specialTokensMap }: AddedTokenFiles): Set<string> {
  const given = { ...specialTokensMap, ...tokenizerConfig }
  const listed = given['additional_special_tokens'] ?? given['extra_special_tokens']
  const values = [...NAMED.map((key) => given[key]), ...(Array.isArray(listed) ? listed : [])]
  return new Set(
    values.filter((value) => value !== undefined && value !== null && value !== '').map(contentOf),
  )
}

function flagsOf(token: unknown): Partial<AddedToken> {
  const { single_word, lstrip, rstrip, special } = token as Record<string, unknown>
  return {
    single_word: single_word === true,
    lstrip: lstrip === true,
    rstrip: rstrip === true,
    special: special === true,
  }
}

function contentOf(token: unknown): string {
  const content = typeof token === 'string' ? token : (token as { content?: unknown } | null)?.content
  if (typeof content === 'string' && content !== '') return content
  throw unusable('names an added token without content')
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw unusable(`has an ${name} that is not an object`)
}

function checkedId(file: string, id: unknown): number {
  if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0) return id
  throw unusable(`gives ${String(id)} as an id in ${file}`)
}

function unusable(fault: string): ToolError {
  const message = `The tokenizer ${fault}. Take the tokenizer's files from the repository of the weights.`
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}
