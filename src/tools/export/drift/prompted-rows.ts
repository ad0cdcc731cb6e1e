import { join } from 'node:path'
import type { Prompt } from '../../../encoder/encoder.ts'
import { type ModelSession, openSession, type TensorData } from '../../../inference/session.ts'
import { MODEL_FILES, TENSORS } from '../../../model/card.ts'
import { pairTokens, queryPart, textPart } from '../../../model/pair.ts'
import { type RowTokens, rowTokens } from '../../../model/prompt.ts'
import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import type { CompiledPrompts } from '../prompts/compile-prompts.ts'
import type { Compiled } from '../prompts/compiled.ts'
import type { CompiledPair } from '../reranking/compile-pair.ts'

/** Rows of the texts as the model reads them in service: every text under both prompts, or with a query. */
export function promptedRows(
  tokenizerJson: string,
  compiled: Compiled,
  texts: readonly string[],
): Promise<RowTokens[]> {
  const tokenizer = BodyTokenizer.load(tokenizerJson)
  return compiled.kind === 'encoder'
    ? underBothPrompts(tokenizer, compiled, texts)
    : withQueries(tokenizer, compiled, texts)
}

async function underBothPrompts(
  tokenizer: BodyTokenizer,
  compiled: CompiledPrompts,
  texts: readonly string[],
): Promise<RowTokens[]> {
  const bodies = await tokenizer.encode(texts)
  return bodies.flatMap((body) =>
    (['ebae', 'ebar'] satisfies Prompt[]).map((name) => {
      const { maxBodyTokens } = compiled.prompts[name]
      return rowTokens(compiled, [name], body.subarray(0, maxBodyTokens))
    }),
  )
}

/** Every text for the text before it as the query: what matches and what does not look alike to the sites. */
async function withQueries(
  tokenizer: BodyTokenizer,
  { template }: CompiledPair,
  texts: readonly string[],
): Promise<RowTokens[]> {
  const queries = await tokenizer.encode(texts.map((text) => queryPart(template, text)))
  const bodies = await tokenizer.encode(texts.map((text) => textPart(template, text)))
  return bodies.map((body, i) => pairTokens(template, queries.at(i - 1)!, body))
}

/** Opens the ONNX model of a folder on the CPU, with as many threads as the runtime chooses. */
export function openModel(folder: string): Promise<ModelSession> {
  return openSession(join(folder, MODEL_FILES.model), {
    provider: 'cpu',
    intraOpThreads: 0,
    spinning: true,
    deviceId: 0,
  })
}

/** Runs one row by itself: no padding, so nothing but real text is measured. */
export function runRow(
  session: ModelSession,
  { ids, spans }: RowTokens,
): Promise<Record<string, TensorData>> {
  return session.run({
    [TENSORS.inputIds]: { type: 'int64', dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) },
    [TENSORS.spans]: { type: 'int64', dims: [1, 1, 2], data: BigInt64Array.from(spans, BigInt) },
  })
}
