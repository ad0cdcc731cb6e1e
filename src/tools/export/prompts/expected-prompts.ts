import { ToolError } from '../../../cli/tool-error.ts'
import type { Prompt } from '../../../encoder/encoder.ts'
import type { CardPrompt } from '../../../model/card.ts'
import type { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import { unknownBody } from '../tokenizer/compare-tokenizers.ts'
import type { KnownBody } from '../tokenizer/known-bodies.ts'
import type { TokenizerNeeds } from '../tokenizer/read-tokenizer.ts'
import type { Template } from './templates.ts'

/** The ids a prompt is known to have with a model's own tokenizer. */
interface ExpectedPrompt {
  /** Before the body, the BOS included. */
  prefixIds: readonly number[]
  /** Between the body and the special tokens, whose ids are the tokenizer's own affair. */
  wordIds: readonly number[]
}

/** Ids that are known of a model, for its prompts and for some texts. */
export interface ExpectedIds {
  /** Of an encoder. */
  prompts?: Record<Prompt, ExpectedPrompt>
  bodies: readonly KnownBody[]
}

/** What reading a model's tokenizer needs to know of its prompts. */
export function tokenizerNeeds({ prompts }: Template, expected?: ExpectedIds): TokenizerNeeds {
  return {
    specials: Object.values(prompts).flatMap(({ specials }) => specials),
    bodies: expected?.bodies ?? [],
  }
}

type Compiled = Record<Prompt, Pick<CardPrompt, 'prefixIds' | 'suffixIds'>>

/**
 * A tokenizer that gives other ids than the model was trained with, because it was converted or changed, would
 * give worse vectors and no error.
 * @throws ToolError CHECKPOINT_UNUSABLE
 */
export function checkExpectedPrompts(
  compiled: Compiled,
  template: Template,
  expected: NonNullable<ExpectedIds['prompts']>,
): void {
  for (const name of ['ebae', 'ebar'] satisfies Prompt[]) {
    const { prefixIds, suffixIds } = compiled[name]
    const { specials } = template.prompts[name]
    const at = suffixIds.length - specials.length
    compare(name, 'prefix', prefixIds, expected[name].prefixIds)
    compare(name, 'suffix', suffixIds.slice(0, at), expected[name].wordIds)
    if (new Set(suffixIds.slice(at)).size < specials.length) {
      throw unusable(`gives the same id to two of the special tokens ${specials.join('')}`)
    }
  }
}

/** The same for texts. @throws ToolError CHECKPOINT_UNUSABLE */
export async function checkExpectedBodies(
  tokenizer: BodyTokenizer,
  bodies: readonly KnownBody[],
): Promise<void> {
  const fault = await unknownBody(tokenizer, bodies)
  if (fault !== undefined) throw unusable(fault)
}

function compare(name: Prompt, part: string, found: readonly number[], expected: readonly number[]): void {
  if (found.length === expected.length && found.every((id, i) => id === expected[i])) return
  throw unusable(
    `encodes the ${name} ${part} as [${found.join(' ')}], but the model was trained with [${expected.join(' ')}]`,
  )
}

function unusable(fault: string): ToolError {
  const message = `The tokenizer ${fault}. Take its files from the model's own repository; tokenizer.model and its added tokens are enough.`
  return new ToolError('CHECKPOINT_UNUSABLE', message)
}
