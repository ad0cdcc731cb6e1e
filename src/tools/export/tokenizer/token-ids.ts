/** What a tokenizer.json says about ids. */
export interface NumberedTokens {
  added_tokens?: { content: string; id: number; special?: boolean }[] | null
  model?: { vocab?: Record<string, number> }
}

/** Id of every token by its content; added tokens win over the vocabulary. */
export function tokenIds(tokenizerJson: string): Map<string, number> {
  const file = JSON.parse(tokenizerJson) as NumberedTokens
  const ids = new Map(Object.entries(file.model?.vocab ?? {}))
  for (const token of file.added_tokens ?? []) ids.set(token.content, token.id)
  return ids
}
