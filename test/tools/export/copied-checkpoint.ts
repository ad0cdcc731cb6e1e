import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportModel } from '../../../src/tools/export/export-model.ts'
import type { ExportOptions } from '../../../src/tools/export/export-options.ts'
import { type CheckpointName, checkpointFolder } from '../../fixtures/tiny-model.ts'
import { readTensorFile, type Tensor, tensorFile } from './tensor-file.ts'

type Json = Record<string, unknown>

/** A copy of a fixture checkpoint that a test may damage. */
export class CopiedCheckpoint {
  readonly folder = mkdtempSync(join(tmpdir(), 'llara-checkpoint-'))
  /** Parent of the model folder to write. */
  readonly parent = mkdtempSync(join(tmpdir(), 'llara-out-'))
  readonly out = join(this.parent, 'model')

  constructor(name: CheckpointName) {
    cpSync(checkpointFolder(name), this.folder, { recursive: true })
  }

  path(file: string): string {
    return join(this.folder, file)
  }

  get written(): boolean {
    return existsSync(this.out)
  }

  /** Changes a JSON file of the checkpoint. */
  edit(file: string, change: (json: Json) => void): void {
    const json = JSON.parse(readFileSync(this.path(file), 'utf8')) as Json
    change(json)
    writeFileSync(this.path(file), JSON.stringify(json))
  }

  /** Changes the tensors of a safetensors file. */
  editTensors(file: string, change: (tensors: Map<string, Tensor>) => void): void {
    const tensors = readTensorFile(readFileSync(this.path(file)))
    change(tensors)
    writeFileSync(this.path(file), tensorFile(tensors))
  }

  /** Writes one number into every place of a float32 tensor, or into one of them. */
  fill(file: string, tensor: string, value: number, only?: number): void {
    this.editTensors(file, (tensors) => {
      const { dtype, data } = tensors.get(tensor)!
      if (dtype !== 'F32') throw new Error(`${tensor} is ${dtype}`)
      for (let at = 0; at < data.length; at += 4) {
        if (only === undefined || at === 4 * only) data.writeFloatLE(value, at)
      }
    })
  }

  export(options: Partial<ExportOptions> = {}) {
    return exportModel({
      checkpoint: this.folder,
      out: this.out,
      precision: 'fp32',
      template: 'paper',
      licence: 'none',
      source: 'random weights',
      ...options,
    })
  }
}
