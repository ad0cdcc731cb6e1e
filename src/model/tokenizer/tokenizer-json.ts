import { ServiceError } from '../../errors.ts'

/** The parts of a Hugging Face tokenizer.json that matter here. */
export interface TokenizerJson {
  added_tokens?: AddedToken[] | null
  normalizer?: Step | null
  pre_tokenizer?: Step | null
  post_processor?: unknown
  truncation?: unknown
  padding?: unknown
  model: VocabularyModel
}

interface AddedToken {
  id: number
  content: string
  special?: boolean
}

/** BPE, as LLaMA checkpoints have it, or WordPiece (which has no merges), as models grown from a BERT do. */
export interface VocabularyModel {
  type?: string
  vocab: Record<string, number>
  merges?: (string | [string, string])[]
  unk_token?: string | null
  dropout?: number | null
  /** BPE: characters that the vocabulary lacks are written as bytes. */
  byte_fallback?: boolean
  /** WordPiece: characters of the longest word that is looked at. */
  max_input_chars_per_word?: number
  /** WordPiece: what entries begin with that go on inside a word. */
  continuing_subword_prefix?: string
}

/** A normaliser or pre-tokeniser; a `Sequence` holds more of them. */
export interface Step {
  type: string
  normalizers?: Step[]
  pretokenizers?: Step[]
  pattern?: { String?: string; Regex?: string }
  behavior?: string
  /** What a `Replace` puts in. */
  content?: string
}

export function parseTokenizerJson(text: string): TokenizerJson {
  let json: TokenizerJson
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw unusable('is not JSON; copy it again from the checkpoint', cause)
  }
  const type = json?.model?.type ?? 'none'
  const whole = type === 'WordPiece' || (type === 'BPE' && Array.isArray(json.model.merges))
  if (!whole || !json.model.vocab) {
    throw unusable(`holds a ${type} model; BPE and WordPiece are supported`)
  }
  return json
}

/**
 * The same tokenizer for body text alone: it adds nothing around the text, cuts and pads nothing, and no text can
 * become a special token, however it is written. Three doors are closed: the added-token matcher, the vocabulary
 * (a special token is often an ordinary entry too) and the merges (a merge may happen to spell one).
 *
 * @param reserved ids to treat as special although the file does not mark them
 * @returns the tokenizer and the ids of the specials taken out, by content
 */
export function withoutSpecials(
  json: TokenizerJson,
  reserved: readonly number[],
): { json: TokenizerJson; specials: Map<string, number> } {
  const reservedIds = new Set(reserved)
  const specials = new Map<string, number>()
  for (const token of json.added_tokens ?? []) {
    if (token.special || reservedIds.has(token.id)) specials.set(token.content, token.id)
  }
  for (const [content, id] of Object.entries(json.model.vocab)) {
    if (reservedIds.has(id)) specials.set(content, id)
  }
  const vocab = { ...json.model.vocab }
  // The unknown token stays: it is what the tokenizer answers to characters it cannot write.
  for (const content of specials.keys()) if (content !== json.model.unk_token) delete vocab[content]
  const merges = json.model.merges?.filter((merge) => {
    const [left, right] = mergePair(merge)
    return ![left, right, left + right].some((piece) => specials.has(piece))
  })
  // Merge dropout is for training; with it a text has no one tokenisation.
  const bpe = merges && { merges, dropout: null }
  return {
    json: {
      ...json,
      added_tokens: (json.added_tokens ?? []).filter((token) => !specials.has(token.content)),
      post_processor: null,
      truncation: null,
      padding: null,
      model: { ...json.model, vocab, ...bpe },
    },
    specials,
  }
}

function mergePair(merge: string | [string, string]): [string, string] {
  if (typeof merge !== 'string') return merge
  const gap = merge.indexOf(' ', 1)
  return [merge.slice(0, gap), merge.slice(gap + 1)]
}

export function unusable(fault: string, cause?: unknown): ServiceError {
  return new ServiceError('MODEL_UNUSABLE', `tokenizer.json ${fault}.`, {}, cause)
}
