import { stemmer } from 'stemmer'

/** Runs of letters and digits in lower case. No stop words: BM25 weighs them down by itself. */
export function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Porter's stemmer (Porter 1980): English words lose their endings, words of other scripts stay as they are. */
export function stem(word: string): string {
  return stemmer(word)
}
