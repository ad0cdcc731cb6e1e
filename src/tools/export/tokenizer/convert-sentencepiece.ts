import { ToolError } from '../../../cli/tool-error.ts'
import type { AddedToken } from './added-tokens.ts'
import { type Merge, mergesOf } from './bpe-merges.ts'
import { MODEL_TYPES, PIECE_TYPE, type SentencePieceModel } from './sentencepiece-model.ts'

/**
 * A tokenizer.json that gives the ids SentencePiece gives with this model. What the tokenizer library cannot do just
 * so is refused.
 *
 * @param added tokens beside the model's pieces, or special ones among them
 * @throws ToolError CHECKPOINT_UNUSABLE saying what is not supported
 */
export function convertSentencePiece(model: SentencePieceModel, added: readonly AddedToken[]): string {
  const merges = checkedMerges(model)
  const { pieces, trainer } = model
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...added].sort((a, b) => a.id - b.id),
    normalizer: { type: 'Sequence', normalizers: normalizers(model.normalizer) },
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: pieces.find(({ type }) => type === PIECE_TYPE.unknown)?.piece ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: trainer.byteFallback,
      ignore_merges: false,
      vocab: Object.fromEntries(pieces.map(({ piece }, id) => [piece, id])),
      merges,
    },
  })
}

function normalizers({ removeExtraWhitespaces, addDummyPrefix }: SentencePieceModel['normalizer']) {
  const replace = (pattern: { String: string } | { Regex: string }, content: string) => ({
    type: 'Replace',
    pattern,
    content,
  })
  return [
    // SentencePiece means spaces alone; at the end it takes what it writes for a space, too.
    ...(removeExtraWhitespaces
      ? [replace({ Regex: '\\A +|[ \\x{2581}]+\\z' }, ''), replace({ Regex: ' +' }, ' ')]
      : []),
    ...(addDummyPrefix ? [{ type: 'Prepend', prepend: '▁' }] : []),
    replace({ String: ' ' }, '▁'),
  ]
}

function checkedMerges({ pieces, trainer, normalizer }: SentencePieceModel): Merge[] {
  if (MODEL_TYPES[trainer.modelType] !== 'BPE') {
    throw unsupported(`is a ${MODEL_TYPES[trainer.modelType] ?? 'new kind of'} model; BPE is supported`)
  }
  if (normalizer.precompiledCharsmap.length > 0) {
    throw unsupported(`changes characters before it cuts (${normalizer.name || 'a table of its own'})`)
  }
  if (!normalizer.escapeWhitespaces || trainer.treatWhitespaceAsSuffix) {
    throw unsupported('does not write spaces as ▁ before a word')
  }
  const odd = pieces.find(({ type }) => type === PIECE_TYPE.userDefined || type === PIECE_TYPE.unused)
  if (odd) {
    const kind = odd.type === PIECE_TYPE.unused ? 'an unused' : 'a user-defined'
    throw unsupported(`has ${kind} piece, ${odd.piece}`)
  }
  const bytes = new Set(pieces.filter(({ type }) => type === PIECE_TYPE.byte).map(({ piece }) => piece))
  for (let byte = 0; trainer.byteFallback && byte < 256; byte++) {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
    if (!bytes.has(name)) throw unsupported(`has no piece for the byte ${name}`)
  }
  if (new Set(pieces.map(({ piece }) => piece)).size < pieces.length) throw unsupported('has a piece twice')
  const merges = mergesOf(pieces)
  if (typeof merges === 'string') throw unsupported(`cannot be written as a list of merges: ${merges}`)
  return merges
}

function unsupported(fault: string): ToolError {
  const message = `tokenizer.model ${fault}. Export with a tokenizer.json that gives the ids the model was trained with.`
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}
