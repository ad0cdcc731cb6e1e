import type { PairTemplate } from './card.ts'
import type { RowTokens } from './prompt.ts'

/** The query with the words before it, and a text with its own: each is tokenised as one string. */
export function queryPart({ query }: Pick<PairTemplate, 'query'>, given: string): string {
  return query + given
}

export function textPart({ text }: Pick<PairTemplate, 'text'>, given: string): string {
  return text + given
}

/** Most tokens of the text part beside a query part of so many tokens. */
export function textTokensMax(template: PairTemplate, queryTokens: number): number {
  const { beginIds, betweenIds, endIds, maxTextTokens, maxTokens } = template
  const others = beginIds.length + queryTokens + betweenIds.length + endIds.length
  return Math.min(maxTextTokens, maxTokens - others)
}

/**
 * Query and text as one row, joined as ids. What is too long is cut at its end: the query to its own limit, then the
 * text to what the row has left; the template's own ids never.
 *
 * @param query and `text`: ids of `queryPart` and `textPart`, or as many of the first as there is room for
 */
export function pairTokens(template: PairTemplate, query: Uint32Array, text: Uint32Array): RowTokens {
  const { beginIds, betweenIds, endIds, maxQueryTokens } = template
  const cutQuery = query.subarray(0, maxQueryTokens)
  const cutText = text.subarray(0, textTokensMax(template, cutQuery.length))
  const ids = Uint32Array.from([...beginIds, ...cutQuery, ...betweenIds, ...cutText, ...endIds])
  return { ids, spans: [ids.length - 1, ids.length] }
}
