import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { embeddings } from '../../src/encoder/onnx/embeddings.ts'
import { BatchRunner } from '../../src/inference/pipeline/batch-runner.ts'
import { openSession, type Provider } from '../../src/inference/session.ts'
import { MODEL_FILES } from '../../src/model/card.ts'
import { type RowTokens, rowTokens } from '../../src/model/prompt.ts'
import { readCard } from '../../src/model/read-card.ts'
import { BodyTokenizer } from '../../src/model/tokenizer/body-tokenizer.ts'

/** A model without queue, worker or tokenising: what the encoder's rate is measured against. */
export interface RawModel {
  tokenizer: BodyTokenizer
  row(body: Uint32Array): RowTokens
  run(rows: readonly RowTokens[]): Promise<unknown>
  close(): Promise<void>
}

export async function openRawModel(
  folder: string,
  provider: Provider,
  intraOpThreads: number,
): Promise<RawModel> {
  const card = readCard(folder)
  const path = join(folder, MODEL_FILES.model)
  const session = await openSession(path, { provider, intraOpThreads, spinning: false, deviceId: 0 })
  const runner = new BatchRunner(session, card.padId, embeddings(card.dimensions))
  return {
    tokenizer: BodyTokenizer.load(readFileSync(join(folder, MODEL_FILES.tokenizer), 'utf8')),
    row: (body) => rowTokens(card, ['ebae'], body),
    run: (rows) => runner.run(rows),
    close: () => session.release(),
  }
}
