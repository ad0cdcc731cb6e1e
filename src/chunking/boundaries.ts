type Granularity = 'sentence' | 'word' | 'grapheme'

/** Rules of Unicode, without those of one language. */
const SEGMENTERS: Record<Granularity, Intl.Segmenter> = {
  sentence: new Intl.Segmenter('und', { granularity: 'sentence' }),
  word: new Intl.Segmenter('und', { granularity: 'word' }),
  grapheme: new Intl.Segmenter('und', { granularity: 'grapheme' }),
}

/** Where the segments of a text begin: 0 first. The text should be short (pieces.ts says why). */
export function startsOf(granularity: Granularity, text: string): number[] {
  return Array.from(SEGMENTERS[granularity].segment(text), ({ index }) => index)
}

/** Where one short text may be cut. */
export class Borders {
  readonly #text: string
  readonly #words: number[]
  /** Those of the words that follow white space. */
  readonly #afterSpace: number[]
  #characters: number[] | undefined

  constructor(text: string) {
    this.#text = text
    this.#words = startsOf('word', text)
    this.#afterSpace = this.#words.filter((at) => /^\s\S/.test(text.slice(at - 1, at + 1)))
  }

  /**
   * The best place after `from`, at or before `to`: the last beginning of a word that follows white space, else the last
   * border of words, else of characters as people see them. Where one character is longer than that, the place is
   * behind it; inside it, where it is all of the text.
   */
  last(from: number, to: number): number {
    const within = (at: number) => at > from && at <= to
    const word = this.#afterSpace.findLast(within) ?? this.#words.findLast(within)
    if (word !== undefined) return word
    this.#characters ??= startsOf('grapheme', this.#text)
    if (this.#characters.length === 1) return this.#codePoint(from, to)
    return this.#characters.findLast(within) ?? this.#characters.find((at) => at > to) ?? this.#text.length
  }

  #codePoint(from: number, to: number): number {
    const pair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(this.#text.slice(to - 1, to + 1))
    if (!pair) return to
    return to - 1 > from ? to - 1 : to + 1
  }
}

/** Whether people see a single character. */
export function isCharacter(text: string): boolean {
  return startsOf('grapheme', text).length === 1
}
