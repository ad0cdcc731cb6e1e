import { expect, it } from 'vitest'
import { readCard } from '../../../src/model/read-card.ts'
import { exportCommand } from '../../../src/tools/export/command.ts'
import { ran } from '../../cli/run-command.ts'
import { llama2Checkpoint } from '../../fixtures/random-checkpoint.ts'
import { CopiedCheckpoint } from './copied-checkpoint.ts'

const run = (...options: string[]) => ran(exportCommand, options)

it('exports with all its options and prints what it wrote', async () => {
  const { folder, out } = new CopiedCheckpoint('mha-paper')
  const quantised = ['--precision', 'int8', '--quantisation', 'weight-only']
  const options = [...quantised, '--template', 'released', '--id', 'tiny', '--max-body-tokens', '20']
  const result = await run(folder, '--out', out, '--licence', 'CC0', '--source', 'a test', ...options)
  expect(result.stderr).toContain('layer 3 of 3')
  expect(result.stdout).toMatch(/tiny: 32 dimensions, int8 \(weight-only\).*\n\s+model\.onnx/)
  expect(result.status).toBe(0)
  const card = readCard(out)
  expect(card).toMatchObject({ id: 'tiny', licence: 'CC0', source: 'a test', precision: 'int8' })
  expect(card.quantisation).toMatchObject({ kind: 'weight-only' })
  expect(card.prompts.ebar.maxBodyTokens).toBe(20)
})

it('says what is wrong in one line and ends with 2', async () => {
  const { folder, out } = new CopiedCheckpoint('mha-paper')
  const faults: [options: string[], told: string][] = [
    [[folder, '--out', out], '--licence is missing'],
    [
      [folder, '--out', out, '--licence', 'x', '--precision', 'int2'],
      '--precision is int2; it can be int8, int4, fp16, fp32',
    ],
    [
      [folder, '--out', out, '--licence', 'x', '--precision', 'fp16', '--quantisation', 'weight-only'],
      'fp16 is not quantised',
    ],
    [[folder, '--out', out, '--licence', 'x', '--speed', '9'], 'There is no option --speed.'],
    [[out, '--out', out, '--licence', 'x'], 'has no config.json'],
  ]
  for (const [options, told] of faults) {
    const result = await run(...options)
    expect(result.status).toBe(2)
    expect(result.stderr).toContain(`Not exported.`)
    expect(result.stderr).toContain(told)
    expect(result.stderr.trim().split('\n')).toHaveLength(1)
  }
})

it('takes limits, licence and prompts from a profile, and holds to its prompt ids', async () => {
  const out = new CopiedCheckpoint('mha-paper').out
  const result = await run(llama2Checkpoint(), '--out', out, '--profile', 'LLARA-beir', '--precision', 'fp32')
  expect(result.stderr).not.toContain('Not exported')
  const card = readCard(out)
  expect(card.licence).toMatch(/^MIT; /)
  expect(card.prompts.ebar).toMatchObject({ maxBodyTokens: 512, prefixIds: [1, 376] })
  const other = await run(
    new CopiedCheckpoint('mha-released').folder,
    '--out',
    `${out}-2`,
    '--profile',
    'llara-beir',
  )
  expect(other.stderr).toMatch(/^Not exported. The tokenizer encodes the ebae prefix as/)
})
