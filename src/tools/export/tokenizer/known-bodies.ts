/** A text and the ids that SentencePiece gives it with a model's own vocabulary, nothing added around it. */
export interface KnownBody {
  text: string
  ids: readonly number[]
}

/** LLaMA-2's tokenizer.model: double spaces, an indent, markdown, CJK, bytes and emoji, a space at the beginning. */
export const LLAMA2_BODIES: readonly KnownBody[] = [
  { text: 'a  the   next', ids: [263, 29871, 278, 259, 2446] },
  { text: ' what', ids: [29871, 825] },
  { text: 'is a:\n    a\n\n', ids: [338, 263, 29901, 13, 1678, 263, 13, 13] },
  { text: '## the\n- **a**', ids: [444, 278, 13, 29899, 3579, 29874, 1068] },
  { text: '潮東京。 🙂', ids: [29871, 233, 192, 177, 30591, 30675, 30267, 29871, 243, 162, 156, 133] },
]

/** Queries with the words that RankLLaMA has before them. */
export const LLAMA2_QUERIES: readonly KnownBody[] = [
  { text: 'query: what is a', ids: [2346, 29901, 825, 338, 263] },
]
