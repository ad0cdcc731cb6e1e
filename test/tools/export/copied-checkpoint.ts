import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportModel } from '../../../src/tools/export/export-model.ts'
import type { ExportOptions } from '../../../src/tools/export/export-options.ts'
import { type CheckpointName, checkpointFolder } from '../../fixtures/tiny-model.ts'

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

  /** Rewrites a safetensors header; offsets stay as they are, relative to its end. */
  editHeader(file: string, change: (header: Record<string, Json>) => void): void {
    const bytes = readFileSync(this.path(file))
    const end = 8 + Number(bytes.readBigUInt64LE(0))
    const header = JSON.parse(bytes.toString('utf8', 8, end))
    change(header)
    const text = Buffer.from(JSON.stringify(header))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(text.length))
    writeFileSync(this.path(file), Buffer.concat([length, text, bytes.subarray(end)]))
  }

  /** Writes one number into every place of a float32 tensor. */
  fill(file: string, tensor: string, value: number): void {
    const bytes = readFileSync(this.path(file))
    const end = 8 + Number(bytes.readBigUInt64LE(0))
    const header = JSON.parse(bytes.toString('utf8', 8, end))
    const { dtype, data_offsets: offsets } = header[tensor] as {
      dtype: string
      data_offsets: [number, number]
    }
    if (dtype !== 'F32') throw new Error(`${tensor} is ${dtype}`)
    for (let at = end + offsets[0]; at < end + offsets[1]; at += 4) bytes.writeFloatLE(value, at)
    writeFileSync(this.path(file), bytes)
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
