import type { Analysis } from '../../collection-settings.ts'

/** SQLite's name for each way of cutting texts into words. https://www.sqlite.org/fts5.html#tokenizers */
export const TOKENIZERS: Readonly<Record<Analysis, string>> = {
  english: 'porter unicode61 remove_diacritics 2',
  plain: 'unicode61 remove_diacritics 2',
  trigram: 'trigram remove_diacritics 1',
}

/**
 * The index of words, by the keys of documents. It keeps no text of its own (`content=''`), and a document leaves it by
 * its key alone (`contentless_delete=1`), so that one whose text is damaged can be removed too. It is derived from the
 * documents. `word_places` reads it: one row for each place of a term.
 */
export const wordsDdl = (analysis: Analysis) => `
  CREATE VIRTUAL TABLE words USING fts5(
    title, text, content='', contentless_delete=1, tokenize='${TOKENIZERS[analysis]}'
  );
  CREATE VIRTUAL TABLE word_places USING fts5vocab(words, instance);
`

/**
 * What is indexed of a text. The last characters of one cut into trigrams begin a trigram too, so that what is shorter
 * than three characters is found by how trigrams begin.
 */
export function indexedText(text: string | null, analysis: Analysis): string | null {
  return analysis === 'trigram' && text !== null ? `${text}\n\n` : text
}
