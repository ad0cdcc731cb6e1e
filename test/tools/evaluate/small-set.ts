import type { BeirSet } from '../../../src/tools/evaluate/judged-set/beir-set.ts'

const WORDS = ['river', 'engine', 'violin', 'harvest', 'planet', 'bridge']

/** Six short documents that any test may judge. */
export const DOCUMENTS = WORDS.map((word, i) => ({
  id: `d${i}`,
  title: null as string | null,
  text: `the ${word} of the ${WORDS[(i + 1) % 6]}`,
}))

/** @param judged query id to its text and its grades */
export function judgedSet(
  judged: Record<string, { text: string; grades: Record<string, number> }>,
  documents = DOCUMENTS,
): BeirSet {
  return {
    name: 'words',
    async *documents() {
      for (const [index, document] of documents.entries()) yield { line: index + 1, ...document }
    },
    queries: Object.entries(judged).map(([id, { text }]) => ({ id, text })),
    judgements: new Map(
      Object.entries(judged).map(([id, { grades }]) => [id, new Map(Object.entries(grades))]),
    ),
    missingQueries: 0,
    rejudged: 0,
    leaveOutSameId: false,
  }
}
