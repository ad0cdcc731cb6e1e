import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readCard } from '../../../../src/model/read-card.ts'
import type { ExportOptions } from '../../../../src/tools/export/export-options.ts'
import { CopiedCheckpoint } from '../copied-checkpoint.ts'

const CHILD = fileURLToPath(new URL('./export-child.ts', import.meta.url))
/** No process has this number: Linux and macOS give out smaller ones. */
const DEAD = 2 ** 30

function optionsOf({ folder, out }: CopiedCheckpoint, more: Partial<ExportOptions> = {}): string {
  const usual = { precision: 'fp32', template: 'paper', licence: 'none', source: 'x', inlineBytesMax: 1000 }
  return JSON.stringify({ checkpoint: folder, out, ...usual, ...more })
}

function child(...given: string[]) {
  return spawnSync(process.execPath, ['--import', 'tsx', CHILD, ...given], { encoding: 'utf8' })
}

describe('an export that was killed', () => {
  it.each(['fp32', 'int4'] as const)(
    'leaves no model in %s, and the next one clears up',
    async (precision) => {
      const checkpoint = new CopiedCheckpoint('mha-paper')
      const { signal } = child(optionsOf(checkpoint, { precision }), 'kill-at-layer', '2')
      expect(signal).toBe('SIGKILL')
      expect(checkpoint.written).toBe(false)
      expect(readdirSync(checkpoint.parent)).toHaveLength(1)
      const card = await checkpoint.export({ precision })
      expect(readCard(checkpoint.out)).toEqual(card)
      expect(readdirSync(checkpoint.parent)).toEqual(['model'])
    },
  )

  it('leaves what it was to replace, also when calibrating', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const card = await checkpoint.export()
    child(optionsOf(checkpoint, { precision: 'int8', overwrite: true }), 'kill-at-layer', '3')
    expect(readCard(checkpoint.out)).toEqual(card)
    expect(readdirSync(checkpoint.parent)).toHaveLength(2)
    await checkpoint.export({ overwrite: true })
    expect(readdirSync(checkpoint.parent)).toEqual(['model'])
  })

  it('in the moment between two names puts the old model back', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const card = await checkpoint.export()
    renameSync(checkpoint.out, join(checkpoint.parent, `.model.old-${DEAD}`))
    mkdirSync(join(checkpoint.parent, `.model.partial-${DEAD}`))
    await expect(checkpoint.export()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readCard(checkpoint.out)).toEqual(card)
    expect(readdirSync(checkpoint.parent)).toEqual(['model'])
  })

  it('is told from one that is running, and from another model', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const running = `.model.partial-${process.ppid}`
    const names = [running, `.model.other.partial-${DEAD}`, `.model.partial-${DEAD}x`]
    for (const name of names) mkdirSync(join(checkpoint.parent, name))
    await checkpoint.export()
    expect(readdirSync(checkpoint.parent).sort()).toEqual([...names, 'model'].sort())
    // Untouched for two days, so the number belongs to somebody else by now.
    const then = Date.now() / 1000 - 2 * 24 * 3600
    utimesSync(join(checkpoint.parent, running), then, then)
    await checkpoint.export({ overwrite: true })
    expect(existsSync(join(checkpoint.parent, running))).toBe(false)
  })
})

describe('a full disk', () => {
  it('met on the way leaves nothing, and what was there before', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const card = await checkpoint.export()
    // The largest file a process may write: 64 KiB, a third of these weights. The system answers EFBIG.
    const shell = 'ulimit -f 64; exec "$@"'
    const command = [process.execPath, '--import', 'tsx', CHILD]
    const given = optionsOf(checkpoint, { overwrite: true })
    const { stdout, status } = spawnSync('bash', ['-c', shell, 'bash', ...command, given], {
      encoding: 'utf8',
    })
    expect(stdout).toMatch(/The disk is full \(EFBIG\), writing .*Nothing was left behind.*needs [\d.]+ MB/)
    expect(status).toBe(1)
    expect(readCard(checkpoint.out)).toEqual(card)
    expect(readdirSync(checkpoint.parent)).toEqual(['model'])
  })

  it('is seen before anything is written', async () => {
    const checkpoint = new CopiedCheckpoint('mha-paper')
    const { bavail, bsize } = statfsSync(checkpoint.parent)
    // An embedding table half as large again as what is free; the file is sparse and takes no room itself.
    const rows = Math.ceil((bavail * bsize * 1.5) / (4 * 32))
    checkpoint.edit('config.json', (config) => {
      config['vocab_size'] = rows
    })
    const file = 'model.safetensors'
    checkpoint.editTensors(file, (tensors) => {
      const name = 'model.embed_tokens.weight'
      const { dtype } = tensors.get(name)!
      tensors.delete(name)
      tensors.set(name, { dtype, shape: [rows, 32], data: Buffer.alloc(0), bytes: rows * 32 * 4 })
    })
    truncateSync(checkpoint.path(file), statSync(checkpoint.path(file)).size + rows * 32 * 4)
    const error = await checkpoint.export().catch((thrown: unknown) => thrown)
    writeFileSync(checkpoint.path(file), '')
    expect(error).toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringMatching(/The export needs [\d.]+ .B, and .* has [\d.]+ .B free/),
      details: { needed: expect.any(Number), free: expect.any(Number) },
    })
    expect(readdirSync(checkpoint.parent)).toEqual([])
  })
})
