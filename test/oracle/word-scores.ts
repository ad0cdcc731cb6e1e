import type { Document } from '../../src/index/document.ts'

/** What the words of a query give each document, by BM25 as docs/hybrid.md writes it; the plainest way to compute it. */
const K1 = 1.2
const B = 0.75
const TITLE_WEIGHT = 2

/** Runs of letters and digits, without case and accents: the analysis `plain`. */
function wordsOf(text: string | null): string[] {
  const plain = (text ?? '').normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.match(/[\p{L}\p{N}\p{Co}]+/gu) ?? []
}

/** Where words of a query stand in a text, in any case and with any accents. */
export function placesOfWords(query: string, text: string): { start: number; end: number }[] {
  const asked = new Set(wordsOf(query))
  return Array.from(text.matchAll(/[\p{L}\p{N}\p{Co}\p{M}]+/gu))
    .filter(([word]) => wordsOf(word).some((plain) => asked.has(plain)))
    .map(({ index, 0: { length } }) => ({ start: index, end: index + length }))
}

function countOf(words: readonly string[], word: string): number {
  return words.filter((other) => other === word).length
}

/** Scores of the documents that have a word of the query, in their order; 0 for the others. */
export function wordScores(query: string, documents: readonly Document[]): number[] {
  const titles = documents.map(({ title }) => wordsOf(title))
  const texts = documents.map(({ text }) => wordsOf(text))
  const lengths = documents.map((_, i) => titles[i]!.length + texts[i]!.length)
  const mean = lengths.reduce((sum, length) => sum + length, 0) / documents.length
  const asked = wordsOf(query)
  return documents.map((_, i) =>
    [...new Set(asked)].reduce((score, word) => {
      const count = countOf(texts[i]!, word) + TITLE_WEIGHT * countOf(titles[i]!, word)
      if (count === 0) return score
      const having = documents.filter((_, j) => texts[j]!.includes(word) || titles[j]!.includes(word)).length
      const idf = Math.log(1 + (documents.length - having + 0.5) / (having + 0.5))
      const norm = K1 * (1 - B + (B * lengths[i]!) / mean)
      return score + countOf(asked, word) * idf * ((count * (K1 + 1)) / (count + norm))
    }, 0),
  )
}

/** Which passage of a document has most of the query's words, the rarer the more; the first where several do. */
export function bestByWords(
  query: string,
  text: string,
  spans: readonly { start: number; end: number }[],
  documents: readonly Document[],
): number {
  const mean = spans.reduce((sum, { start, end }) => sum + end - start, 0) / spans.length
  const asked = wordsOf(query)
  const scores = spans.map(({ start, end }) => {
    const words = wordsOf(text.slice(start, end))
    return [...new Set(asked)].reduce((score, word) => {
      const count = countOf(words, word)
      const having = documents.filter((other) =>
        wordsOf(`${other.title ?? ''} ${other.text}`).includes(word),
      ).length
      const idf = Math.log(1 + (documents.length - having + 0.5) / (having + 0.5))
      const norm = K1 * (1 - B + (B * (end - start)) / mean)
      return count === 0 ? score : score + countOf(asked, word) * idf * ((count * (K1 + 1)) / (count + norm))
    }, 0)
  })
  return scores.indexOf(Math.max(...scores))
}
