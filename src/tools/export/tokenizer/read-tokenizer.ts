import { ToolError } from '../../../cli/tool-error.ts'
import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import type { RawConfig } from '../checkpoint/config-values.ts'
import { optionalBytes, optionalJson, optionalText } from '../checkpoint/json-files.ts'
import { type AddedToken, readAddedTokens } from './added-tokens.ts'
import { differentText, differentToken, unknownBody } from './compare-tokenizers.ts'
import { conversionDoubts } from './conversion-doubts.ts'
import { convertSentencePiece } from './convert-sentencepiece.ts'
import type { KnownBody } from './known-bodies.ts'
import { parseSentencePiece } from './sentencepiece-model.ts'
import { checkTokenizerClass, tokenizerClass } from './tokenizer-class.ts'

/** What decides how a checkpoint's texts become ids. */
export interface TokenizerFiles {
  /** Text of its tokenizer.json, or of the one made from tokenizer.model. */
  tokenizerJson: string
  /** tokenizer_config.json, or nothing. */
  tokenizerConfig: RawConfig
  /** What there is to say about the choice, for people. */
  tokenizerNotes: string[]
}

/** What is known of a tokenizer beforehand. */
export interface TokenizerNeeds {
  /** Tokens that end a prompt: special, whatever the files say. */
  specials?: readonly string[]
  /** Texts whose ids are known. */
  bodies?: readonly KnownBody[]
}

/**
 * Reads a checkpoint's tokenizer: tokenizer.json, or SentencePiece's tokenizer.model, which models are often trained
 * with. Where both are there and differ, one of them was not what the model was trained with: known ids decide, and
 * without them it is refused.
 *
 * @throws ToolError CHECKPOINT_UNUSABLE
 */
export async function readTokenizer(folder: string, needs: TokenizerNeeds = {}): Promise<TokenizerFiles> {
  const tokenizerConfig = (await optionalJson(folder, 'tokenizer_config.json')) ?? {}
  const tokenizerJson = await optionalText(folder, 'tokenizer.json')
  const bytes = await optionalBytes(folder, 'tokenizer.model')
  if (bytes === undefined) {
    if (tokenizerJson !== undefined) {
      return { tokenizerJson, tokenizerConfig, tokenizerNotes: await doubtsOf(tokenizerJson) }
    }
    const message = 'The checkpoint has neither tokenizer.json nor tokenizer.model. Copy its tokenizer, too.'
    throw new ToolError('CHECKPOINT_UNUSABLE', message)
  }
  const convert = () => fromSentencePiece(folder, bytes, tokenizerConfig)
  if (tokenizerJson === undefined) return checked(await convert(), needs)
  let converted: Converted
  try {
    converted = await convert()
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    const note = `tokenizer.json was not compared with tokenizer.model: ${error.message}`
    return { tokenizerJson, tokenizerConfig, tokenizerNotes: [note] }
  }
  const token = differentToken(converted.tokenizerJson, tokenizerJson)
  if (token !== undefined) throw conflict(token)
  const difference = await differentText(converted.tokenizerJson, tokenizerJson)
  if (difference === undefined) return { tokenizerJson, tokenizerConfig, tokenizerNotes: [] }
  const [model, json] = await Promise.all(
    [converted.tokenizerJson, tokenizerJson].map((text) => knows(text, needs.bodies)),
  )
  if (model && !json) {
    const note = `tokenizer.model is used: it gives the ids that the model was trained with, and tokenizer.json differs from it (${difference})`
    return { ...checked(converted, needs), tokenizerNotes: [note] }
  }
  if (json && !model) {
    const note = `tokenizer.json is used: it gives the ids that the model was trained with, and tokenizer.model differs from it (${difference})`
    return { tokenizerJson, tokenizerConfig, tokenizerNotes: [note] }
  }
  throw conflict(difference)
}

async function doubtsOf(tokenizerJson: string): Promise<string[]> {
  const doubts = await conversionDoubts(tokenizerJson)
  if (doubts.length === 0) return []
  return [
    `tokenizer.json ${doubts.join(' and ')}, though its vocabulary has pieces for that. If the model was trained with ` +
      'SentencePiece, put its tokenizer.model into the folder: the two are then compared',
  ]
}

async function knows(tokenizerJson: string, bodies: readonly KnownBody[] = []): Promise<boolean> {
  return bodies.length > 0 && (await unknownBody(BodyTokenizer.load(tokenizerJson), bodies)) === undefined
}

function conflict(difference: string): ToolError {
  const message =
    `tokenizer.model and tokenizer.json give different ids: ${difference}. Move away the file that the model was ` +
    'not trained with: tokenizer.json where its training read tokenizer.model (use_fast=False, as LLaRA and most ' +
    'LLaMA-2 models), else tokenizer.model.'
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}

interface Converted extends Omit<TokenizerFiles, 'tokenizerNotes'> {
  added: AddedToken[]
}

async function fromSentencePiece(
  folder: string,
  bytes: Uint8Array,
  tokenizerConfig: RawConfig,
): Promise<Converted> {
  const model = parseSentencePiece(bytes)
  if (!model) {
    const message = `tokenizer.model is not a SentencePiece model${kindOf(bytes)}. Export with the tokenizer.json that belongs to it.`
    throw new ToolError('CHECKPOINT_UNUSABLE', message)
  }
  const [specialTokensMap, addedTokens] = await Promise.all(
    ['special_tokens_map.json', 'added_tokens.json'].map((name) => optionalJson(folder, name)),
  )
  const files = { tokenizerConfig, specialTokensMap: specialTokensMap ?? {}, addedTokens: addedTokens ?? {} }
  const added = readAddedTokens(model.pieces, files)
  return {
    tokenizerJson: convertSentencePiece(model, added),
    tokenizerConfig: {
      ...{ bos_token: model.trainer.bosPiece, eos_token: model.trainer.eosPiece },
      ...files.specialTokensMap,
      ...tokenizerConfig,
      tokenizer_class: tokenizerClass(tokenizerConfig),
    },
    added,
  }
}

/** A tokenizer made from tokenizer.model, where the class around it leaves texts as they are. */
function checked({ added, ...files }: Converted, { specials = [] }: TokenizerNeeds): TokenizerFiles {
  const beside = added.filter(({ content, special }) => !special && !specials.includes(content))
  checkTokenizerClass(files.tokenizerConfig, beside)
  return { ...files, tokenizerNotes: ['tokenizer.json is made from tokenizer.model'] }
}

function kindOf(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  if (start.startsWith('version https://git-lfs')) return ' but a Git LFS pointer to one'
  return /^[A-Za-z0-9+/=]+ \d+\n/.test(start) ? ' but a list of Tiktoken ranks' : ''
}
