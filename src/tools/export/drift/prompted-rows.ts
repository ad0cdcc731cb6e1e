import { join } from 'node:path'
import type { Prompt } from '../../../encoder/encoder.ts'
import { type ModelSession, openSession, type TensorData } from '../../../inference/session.ts'
import { MODEL_FILES, TENSORS } from '../../../model/card.ts'
import { BodyTokenizer } from '../../../model/tokenizer/body-tokenizer.ts'
import type { CompiledPrompts } from '../prompts/compile-prompts.ts'

/** One text under one prompt, as ids. */
export interface PromptedRow {
  ids: number[]
  suffixLength: number
}

/** Every text under both prompts, cut as the encoder would. */
export async function promptedRows(
  tokenizerJson: string,
  { prompts }: CompiledPrompts,
  texts: readonly string[],
): Promise<PromptedRow[]> {
  const bodies = await BodyTokenizer.load(tokenizerJson).encode([...texts])
  return bodies.flatMap((body) =>
    (['ebae', 'ebar'] satisfies Prompt[]).map((name) => {
      const { prefixIds, suffixIds, maxBodyTokens } = prompts[name]
      const ids = [...prefixIds, ...body.slice(0, maxBodyTokens), ...suffixIds]
      return { ids, suffixLength: suffixIds.length }
    }),
  )
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
  { ids, suffixLength }: PromptedRow,
): Promise<Record<string, TensorData>> {
  const span = [ids.length - suffixLength, ids.length]
  return session.run({
    [TENSORS.inputIds]: { type: 'int64', dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) },
    [TENSORS.spans]: { type: 'int64', dims: [1, 1, 2], data: BigInt64Array.from(span, BigInt) },
  })
}
