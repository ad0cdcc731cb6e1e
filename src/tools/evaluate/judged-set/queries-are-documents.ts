import type { QueryJudgements } from './qrels.ts'

interface AskedSet {
  documents: () => AsyncIterable<{ id: string; title: string | null; text: string }>
  queries: readonly { id: string; text: string }[]
  judgements: QueryJudgements
}

/** Of the queries, the share that must be documents under their own ids. */
const SHARE = 0.5

/**
 * Whether a set asks with its own documents, as ArguAna and Quora do: queries have the ids of documents with the same
 * text, and those are not the answers. Equal ids alone say nothing: many sets number both from 1. Reads the corpus.
 * @throws ToolError as reading the set does
 */
export async function queriesAreDocuments({ queries, judgements, documents }: AskedSet): Promise<boolean> {
  if (queries.some(({ id }) => (judgements.get(id)?.get(id) ?? 0) > 0)) return false
  const asked = new Map(queries.map(({ id, text }) => [id, words(text)]))
  let same = 0
  for await (const { id, title, text } of documents()) {
    const query = asked.get(id)
    if (query !== undefined && isOneInTheOther(query, words(text), words(`${title ?? ''} ${text}`))) same++
  }
  return same >= SHARE * queries.length
}

/** A query may be a document with or without its title, or its title alone. */
function isOneInTheOther(query: string, text: string, whole: string): boolean {
  if (query === '') return false
  return whole.includes(query) || (text !== '' && query.includes(text))
}

function words(text: string): string {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .join(' ')
    .trim()
}
