import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { llamaConfig, writeSyntheticCheckpoint } from '../../../scripts/bench/synthetic-checkpoint.ts'
import { readLlamaConfig } from '../../../src/tools/export/checkpoint/llama-config.ts'
import { checkpointFolder } from '../../fixtures/tiny-model.ts'

const CHILD = fileURLToPath(new URL('../../../scripts/bench/export-child.ts', import.meta.url))
/** Twelve layers of 8 MB, none of whose tensors has more than 2 MB, and a table of 8 MB. */
const CONFIG = llamaConfig({ hiddenSize: 512, intermediateSize: 2048, layers: 12, vocabularySize: 8000 })

const folder = mkdtempSync(join(tmpdir(), 'llara-memory-'))
let bytes: number
beforeAll(() => {
  bytes = writeSyntheticCheckpoint(join(folder, 'checkpoint'), readLlamaConfig(CONFIG), {
    config: CONFIG,
    tokenizerJson: readFileSync(join(checkpointFolder('mha-paper'), 'tokenizer.json'), 'utf8'),
    shardBytesMax: 45e6,
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.each(['fp16', 'int4'])(
  'in %s a model passes through memory tensor by tensor',
  (precision) => {
    const options = { checkpoint: join(folder, 'checkpoint'), out: join(folder, precision), precision }
    const rest = { template: 'paper', licence: 'none', source: 'random weights', inlineBytesMax: 1000 }
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', CHILD, JSON.stringify({ ...options, ...rest })],
      { encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    const { before, peak } = JSON.parse(stdout) as { before: number; peak: number }
    expect(bytes).toBeGreaterThan(100e6)
    // Whoever kept the tensors, as read or as written, or read a shard at once, would need more.
    expect(peak - before).toBeLessThan(0.75 * bytes)
  },
  180_000,
)
