import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '../../errors.ts'
import { type CardKind, MODEL_FILES, TENSORS } from '../../model/card.ts'
import type { RowTokens } from '../../model/prompt.ts'
import { BodyTokenizer } from '../../model/tokenizer/body-tokenizer.ts'
import { BatchCost } from '../batch-cost.ts'
import { type Device, openOnDevice } from '../device.ts'
import { ExitGuard } from '../exit-guard.ts'
import { BatchRunner, type ModelOutput } from '../pipeline/batch-runner.ts'
import { QueueAccount } from '../queue-account.ts'
import type { ModelWorkerData } from './model-thread.ts'

/** A model as its worker has it. */
export interface ModelInWorker {
  tokenizer: BodyTokenizer
  device: Device
  /** Runs a batch: the model's output of its rows, row-major. */
  run(rows: readonly RowTokens[]): Promise<Float32Array>
  cost: BatchCost
  account: QueueAccount
  /** Frees the model. */
  release(): Promise<void>
}

/**
 * Loads what a worker was told to load.
 *
 * @param reserved ids that no text may yield
 * @throws ServiceError MODEL_UNUSABLE with what is wrong and what to do
 */
export async function loadModel<Kind extends CardKind>(
  options: ModelWorkerData<Kind>,
  output: ModelOutput,
  reserved: readonly number[],
): Promise<ModelInWorker> {
  const { modelFolder, card } = options
  const tokenizerJson = readFileSync(join(modelFolder, MODEL_FILES.tokenizer), 'utf8')
  const tokenizer = BodyTokenizer.load(tokenizerJson, reserved)
  const exitGuard = new ExitGuard(options.exitGuard)
  const path = join(modelFolder, MODEL_FILES.model)
  const { session, device } = await exitGuard.run(() => openOnDevice(path, card.precision, options))
  const missing = [TENSORS.inputIds, TENSORS.spans].filter((name) => !session.inputs.includes(name))
  if (missing.length > 0) {
    const message = `The model has no input ${missing.join(', ')}. Export it again.`
    throw new ServiceError('MODEL_UNUSABLE', message)
  }
  const runner = new BatchRunner(session, card.padId, output, exitGuard)
  return {
    tokenizer,
    device,
    run: (rows) => runner.run(rows),
    cost: new BatchCost(),
    account: new QueueAccount(options.account),
    release: () => session.release(),
  }
}

/**
 * Runs rows that double in length until one takes longer than `untilMs`: first-run costs are paid before a caller
 * waits, and the rates are measured.
 *
 * @param row of so many body tokens
 * @param tokensMax most body tokens
 */
export async function measureRates(
  { run, cost }: Pick<ModelInWorker, 'run' | 'cost'>,
  row: (tokens: number) => RowTokens,
  tokensMax: number,
  untilMs: number,
): Promise<void> {
  for (let tokens = Math.min(8, tokensMax); ; tokens = Math.min(2 * tokens, tokensMax)) {
    const rows = [row(tokens)]
    const start = performance.now()
    await run(rows)
    const ms = performance.now() - start
    cost.observe(1, rows[0]!.ids.length, ms)
    if (tokens === tokensMax || ms > untilMs) return
  }
}

/** What a first run has thrown, as a fault of the model: MODEL_UNUSABLE. */
export function firstRunFault(cause: unknown): ServiceError {
  const why = cause instanceof ServiceError ? cause.message : 'The model fails on its first text.'
  return new ServiceError('MODEL_UNUSABLE', `${why} Export the model again.`, {}, cause)
}
