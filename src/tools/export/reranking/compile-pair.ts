import { ToolError } from '../../../cli/tool-error.ts'
import type { Card, PairTemplate } from '../../../model/card.ts'
import { textTokensMax } from '../../../model/pair.ts'
import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import type { PromptSources } from '../prompts/compile-prompts.ts'
import { checkExpectedBodies } from '../prompts/expected-prompts.ts'
import { beginningOfSequence, namedToken } from '../prompts/special-tokens.ts'
import { checkRows, checkTokenIds } from '../tokenizer/check-ids.ts'
import type { KnownBody } from '../tokenizer/known-bodies.ts'
import { tokenIds } from '../tokenizer/token-ids.ts'
import type { PairWording } from './pair-templates.ts'

/** A reranker's wording as ids of a checkpoint's tokenizer. */
export interface CompiledPair {
  kind: 'reranker'
  template: PairTemplate
  head: Card<'reranker'>['head']
}

/** Query and text that show whether parts tokenised apart make the ids of one string. */
const PROBE = { query: 'which tree is tall', text: 'an oak of 30 metres' }

/**
 * @param maxTextTokens wanted; default the template's, cut to what the model's positions hold
 * @param knownBodies texts whose ids are known
 * @throws ToolError CHECKPOINT_UNUSABLE when the tokenizer lacks a special token or gives other ids than are known, or
 *   positions are too few
 */
export async function compilePair(
  checkpoint: PromptSources,
  wording: PairWording,
  maxTextTokens?: number,
  knownBodies: readonly KnownBody[] = [],
): Promise<CompiledPair> {
  checkTokenIds(checkpoint.tokenizerJson, checkpoint.config.vocabularySize)
  const ids = tokenIds(checkpoint.tokenizerJson)
  const bos =
    wording.bos === 'own' ? beginningOfSequence(checkpoint, ids) : namedToken(checkpoint, 'bos', ids)
  const eos = wording.eos ? namedToken(checkpoint, 'eos', ids) : undefined
  if (wording.eos && !eos) throw lacking('eos_token')
  if ('bos' in wording.between && !bos) throw lacking('bos_token')
  const specials = [bos, eos].flatMap((token) => (token ? [token.id] : []))
  const tokenizer = BodyTokenizer.load(checkpoint.tokenizerJson, specials)
  await checkExpectedBodies(tokenizer, knownBodies)
  const encode = async (text: string) => Array.from((await tokenizer.encode([text]))[0]!)
  const beginIds = bos ? [bos.id] : []
  const between = 'words' in wording.between ? wording.between.words : ''
  const betweenIds = 'bos' in wording.between ? beginIds : between === '' ? [] : await encode(between)
  const endIds = [...(await Promise.all(wording.end.map(encode))).flat(), ...(eos ? [eos.id] : [])]
  const text = 'joined' in wording.between ? await joinedWords(wording, encode) : wording.text
  const head = await compileHead(wording, encode)
  checkRows([...beginIds, ...betweenIds, ...endIds], checkpoint.config.vocabularySize)
  const middle = 'bos' in wording.between ? bos!.token : 'joined' in wording.between ? ' ' : between
  const shownText = `${wording.text}{text}${wording.end.join('')}${eos?.token ?? ''}`
  const fixed = { query: wording.query, text, beginIds, betweenIds, endIds, reservedIds: specials }
  return {
    kind: 'reranker',
    template: {
      ...fixed,
      ...limitsOf(wording, fixed, checkpoint.config.positionsMax, maxTextTokens),
      shown: `${bos?.token ?? ''}${wording.query}{query}${middle}${shownText}`,
    },
    head,
  }
}

type Encode = (text: string) => Promise<number[]>

async function compileHead({ head }: PairWording, encode: Encode): Promise<CompiledPair['head']> {
  if (head.kind === 'score') return head
  const [id] = await encode(head.word)
  if (id === undefined) throw lacking(head.word)
  return { kind: 'token', token: head.word, id }
}

/**
 * The text's words with what makes the parts' ids those of one string: SentencePiece puts a space before a text of its own,
 * byte-level tokenizers do not.
 */
async function joinedWords({ query, text }: PairWording, encode: Encode): Promise<string> {
  const start = `${query}${PROBE.query}`
  const whole = await encode(`${start} ${text}${PROBE.text}`)
  for (const words of [text, ` ${text}`]) {
    const parts = [...(await encode(start)), ...(await encode(`${words}${PROBE.text}`))]
    if (`${parts}` === `${whole}`) return words
  }
  const message =
    'The tokenizer gives query and document other ids apart than in one string, which this template cannot have. ' +
    'Choose the template that the checkpoint was trained with (--template).'
  throw new ToolError('CHECKPOINT_UNUSABLE', message)
}

type Fixed = Omit<PairTemplate, 'maxQueryTokens' | 'maxTextTokens' | 'maxTokens' | 'shown'>

function limitsOf(
  { limits }: PairWording,
  fixed: Fixed,
  positionsMax: number,
  wanted?: number,
): Pick<PairTemplate, 'maxQueryTokens' | 'maxTextTokens' | 'maxTokens'> {
  const of = (maxTextTokens: number) => {
    const maxQueryTokens = limits.maxQueryTokens(maxTextTokens)
    const [begin, between, end] = [fixed.beginIds, fixed.betweenIds, fixed.endIds].map(({ length }) => length)
    const more = limits.more({ begin: begin!, between: between!, end: end!, query: maxQueryTokens })
    return { maxQueryTokens, maxTextTokens, maxTokens: maxTextTokens + more }
  }
  const room = positionsMax - (of(1).maxTokens - 1)
  const limit = wanted ?? Math.min(limits.maxTextTokens, room)
  const chosen = of(limit)
  const template = { ...fixed, ...chosen, shown: '' }
  const fits = limit >= 1 && limit <= room && textTokensMax(template, chosen.maxQueryTokens) >= 1
  if (fits) return chosen
  const message = `max_position_embeddings leaves room for ${Math.max(0, room)} tokens of text beside query and template, and ${limit} were asked for (--max-body-tokens).`
  throw new ToolError('CHECKPOINT_UNUSABLE', message, { key: 'max_position_embeddings' })
}

function lacking(token: string): ToolError {
  const message = `The tokenizer has no ${token}, which the template needs. Choose the template that the checkpoint was trained with (--template).`
  return new ToolError('CHECKPOINT_UNUSABLE', message, { token })
}
