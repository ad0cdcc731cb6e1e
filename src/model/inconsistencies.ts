import { type Card, type CardKind, MODEL_FILES } from './card.ts'
import { textTokensMax } from './pair.ts'

/** What is wrong with a card that its schema cannot say, a sentence part each. */
export function inconsistencies(card: Card<CardKind>): string[] {
  const faults = card.kind === 'encoder' ? promptFaults(card) : templateFaults(card)
  if (card.padId >= card.architecture.vocabularySize) faults.push('padId is outside the vocabulary')
  for (const name of [MODEL_FILES.model, MODEL_FILES.tokenizer]) {
    if (!card.files[name]) faults.push(`files does not list ${name}`)
  }
  for (const name of Object.keys(card.files)) {
    if (/[/\\]/.test(name)) faults.push(`file name ${name} leads out of the folder`)
  }
  return faults
}

function promptFaults({ prompts, pooling, architecture }: Card): string[] {
  const faults: string[] = []
  for (const [name, { prefixIds, suffixIds }] of Object.entries(prompts)) {
    if (suffixIds.length < pooling.tokens) {
      faults.push(`${name} pools ${pooling.tokens} tokens of a suffix of ${suffixIds.length}`)
    }
    const unknown = [...prefixIds, ...suffixIds].find((id) => id >= architecture.vocabularySize)
    if (unknown !== undefined) faults.push(`${name} uses token ${unknown}, outside the vocabulary`)
  }
  return faults
}

function templateFaults({ template, head, architecture }: Card<'reranker'>): string[] {
  const faults: string[] = []
  if (textTokensMax(template, template.maxQueryTokens) < 1) {
    faults.push(`a row of ${template.maxTokens} tokens leaves no room for a text beside the longest query`)
  }
  const { beginIds, betweenIds, endIds } = template
  const ids = [...beginIds, ...betweenIds, ...endIds, ...(head.kind === 'token' ? [head.id] : [])]
  const unknown = ids.find((id) => id >= architecture.vocabularySize)
  if (unknown !== undefined) faults.push(`template uses token ${unknown}, outside the vocabulary`)
  return faults
}
