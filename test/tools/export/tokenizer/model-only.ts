import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Card } from '../../../../src/model/card.ts'
import { BodyTokenizer } from '../../../../src/model/tokenizer/body-tokenizer.ts'
import { exportModel } from '../../../../src/tools/export/export-model.ts'
import type { ExportOptions } from '../../../../src/tools/export/export-options.ts'
import { llama2Checkpoint } from '../../../fixtures/random-checkpoint.ts'
import { sentencePieceFile } from '../../../fixtures/sentencepiece.ts'

/** A checkpoint with a tokenizer.model and no tokenizer.json. */
export class ModelOnlyCheckpoint {
  readonly folder: string
  readonly out = join(mkdtempSync(join(tmpdir(), 'llara-sentencepiece-')), 'model')
  readonly notes: string[] = []

  constructor(name = 'llama', tokenizerConfig: Record<string, unknown> = {}) {
    this.folder = llama2Checkpoint(tokenizerConfig)
    rmSync(join(this.folder, 'tokenizer.json'))
    copyFileSync(sentencePieceFile(name), join(this.folder, 'tokenizer.model'))
  }

  write(file: string, content: string | object | Uint8Array): this {
    const isRaw = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(join(this.folder, file), isRaw ? content : JSON.stringify(content))
    return this
  }

  export(options: Partial<ExportOptions> = {}): Promise<Card> {
    return exportModel({
      checkpoint: this.folder,
      out: this.out,
      precision: 'fp32',
      template: 'paper',
      licence: 'test',
      source: 'random weights',
      onProgress: (step) => this.notes.push(step),
      ...options,
    })
  }

  get written(): boolean {
    return existsSync(this.out)
  }

  /** The text of the tokenizer.json that was written. */
  get tokenizerJson(): string {
    return readFileSync(join(this.out, 'tokenizer.json'), 'utf8')
  }

  /** Ids of the exported model for texts alone. */
  async encode(texts: readonly string[]): Promise<number[][]> {
    const ids = await BodyTokenizer.load(this.tokenizerJson).encode(texts)
    return ids.map((row) => [...row])
  }
}
