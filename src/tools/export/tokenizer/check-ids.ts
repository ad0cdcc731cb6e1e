import { ToolError } from '../../../cli/tool-error.ts'
import type { NumberedTokens } from './token-ids.ts'

/**
 * A tokenizer must not contradict itself about an id, and every id that a text can give must have a row in the
 * embedding table. A special token without one, such as a pad token added later, does no harm.
 *
 * @throws ToolError CHECKPOINT_UNUSABLE
 */
export function checkTokenIds(tokenizerJson: string, vocabularySize: number): void {
  const { added_tokens: added, model } = JSON.parse(tokenizerJson) as NumberedTokens
  const ids = new Map(Object.entries(model?.vocab ?? {}))
  const pieces = new Map([...ids].map(([piece, id]) => [id, piece]))
  for (const { content, id } of added ?? []) {
    const other = ids.get(content)
    if (other !== undefined && other !== id)
      throw contradiction(`gives ${content} two ids, ${other} and ${id}`)
    const namesake = pieces.get(id)
    if (namesake !== undefined && namesake !== content) {
      throw contradiction(`gives the same id, ${id}, to ${namesake} and to ${content}`)
    }
    ids.set(content, id)
    pieces.set(id, content)
  }
  const reachable = [
    ...Object.values(model?.vocab ?? {}),
    ...(added ?? []).filter(({ special }) => !special).map(({ id }) => id),
  ]
  checkRows(reachable, vocabularySize)
}

/** @throws ToolError CHECKPOINT_UNUSABLE for an id without a row in the embedding table */
export function checkRows(ids: readonly number[], vocabularySize: number): void {
  const beyond = ids.find((id) => id >= vocabularySize)
  if (beyond === undefined) return
  const message = `Token id ${beyond} lies outside the model's vocabulary of ${vocabularySize}: tokenizer and weights do not belong together. Take both from one repository.`
  throw new ToolError('CHECKPOINT_UNUSABLE', message)
}

function contradiction(fault: string): ToolError {
  const message = `tokenizer.json ${fault}. Take it from the repository of the weights, or save the tokenizer again.`
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}
