import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { restoreBackup } from '../../src/index/embedded/backup/restore.ts'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { verifyCommand } from '../../src/tools/verify/command.ts'
import { ran } from '../cli/run-command.ts'
import { IDENTITY, scratchFolder } from './scratch.ts'
import { flip } from './whole-folder.ts'

async function start(dataDir: string) {
  const engine = await startEmbeddedEngine({ dataDir })
  onTestFinished(() => engine.close())
  return engine
}

describe('records', () => {
  it('keep values by kind and name, also after a restart', async () => {
    const dataDir = await scratchFolder()
    const { records, close } = await start(dataDir).then((engine) => ({
      records: engine.records,
      close: () => engine.close(),
    }))
    expect(await records.get('alias', 'one')).toBeUndefined()
    expect(await records.all('alias')).toEqual(new Map())
    await records.remove('alias', 'one')
    const values = { one: 'docs', two: { ünïcode: ['\u2028', null, 1e300, { __proto__: 1 }] }, 'a-b_c': 0 }
    for (const [name, value] of Object.entries(values)) await records.put('alias', name, value)
    await records.put('jobs', 'one', [true])
    await records.put('alias', 'one', 'newer')
    await close()
    const { records: again } = await start(dataDir)
    expect(await again.names('alias')).toEqual(['a-b_c', 'one', 'two'])
    expect(await again.all('alias')).toEqual(new Map(Object.entries({ ...values, one: 'newer' }).sort()))
    await again.remove('alias', 'one')
    expect(await again.names('alias')).toEqual(['a-b_c', 'two'])
    expect(await again.get('jobs', 'one')).toEqual([true])
  })

  it('take the last of many puts of one name, in order', async () => {
    const { records } = await start(await scratchFolder())
    await Promise.all(Array.from({ length: 50 }, (_, i) => records.put('jobs', 'one', i)))
    expect(await records.get('jobs', 'one')).toBe(49)
  })

  it.each(['', '.', '..', '../x', 'a/b', 'A', '_a', 'a.json', 'a\0', 'x'.repeat(129)])(
    'refuse the name %j, which could lead elsewhere',
    async (name) => {
      const { records } = await start(await scratchFolder())
      const refused = { code: 'INVALID_INPUT' }
      await expect(records.put('jobs', name, 1)).rejects.toMatchObject(refused)
      await expect(records.get('jobs', name)).rejects.toMatchObject(refused)
      await expect(records.remove('jobs', name)).rejects.toMatchObject(refused)
      await expect(records.names(name)).rejects.toMatchObject(refused)
    },
  )

  it('name the file of a damaged one, and give the others', async () => {
    const dataDir = await scratchFolder()
    const { records } = await start(dataDir)
    await records.put('jobs', 'good', 1)
    const file = (name: string) => join(dataDir, 'records/jobs', `${name}.json`)
    const damages: Record<string, () => Promise<void>> = {
      flipped: () => flip(file('flipped'), 20),
      cut: async () => writeFile(file('cut'), (await readFile(file('cut'))).subarray(0, 30)),
      empty: () => writeFile(file('empty'), ''),
      null: () => writeFile(file('null'), 'null'),
      foreign: () => copyFile(file('good'), file('foreign')),
      binary: () => writeFile(file('binary'), Buffer.from([0xff, 0, 0xfe])),
    }
    for (const [name, damage] of Object.entries(damages)) {
      await records.put('jobs', name, { state: 'running' })
      await damage()
      await expect(records.get('jobs', name)).rejects.toMatchObject({
        code: 'STORE_UNUSABLE',
        message: expect.stringContaining(`records/jobs/${name}.json in the data folder is damaged`),
      })
    }
    await expect(records.all('jobs')).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    expect(await records.names('jobs')).toContain('flipped')
    expect(await records.get('jobs', 'good')).toBe(1)
    await records.put('jobs', 'flipped', 2)
    expect(await records.get('jobs', 'flipped')).toBe(2)
  })

  it('are not written into a folder that is gone, and say so', async () => {
    const dataDir = join(await scratchFolder(), 'data')
    const { records } = await start(dataDir)
    await records.put('jobs', 'one', 1)
    await rm(dataDir, { recursive: true })
    await expect(records.put('jobs', 'two', 1)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
    await expect(readdir(dataDir)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('survive a process that is killed: what was acknowledged is there, whole', async () => {
    const dataDir = await scratchFolder()
    const child = fileURLToPath(new URL('put-until-killed.ts', import.meta.url))
    let acknowledged = -1
    for (const ms of [40, 90, 150]) {
      const args = ['--import', 'tsx', child, dataDir, String(acknowledged + 1)]
      const writing = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      writing.stdout.on('data', (chunk) => {
        if (said === '') setTimeout(() => writing.kill('SIGKILL'), ms)
        said += chunk
      })
      const [, signal] = await once(writing, 'close')
      expect(signal).toBe('SIGKILL')
      acknowledged = Number(said.trimEnd().split('\n').at(-1))
      const engine = await start(dataDir)
      const numbers = [...(await engine.records.all('counts')).values()] as { number: number }[]
      const newest = Math.max(...numbers.map(({ number }) => number))
      // One more may have been written and not acknowledged.
      expect([acknowledged, acknowledged + 1]).toContain(newest)
      const n0 = (await engine.records.get('counts', 'n0')) as { number: number }
      expect(n0.number).toBeGreaterThanOrEqual(acknowledged - (acknowledged % 3))
      const files = await readdir(join(dataDir, 'records/counts'))
      expect(files.filter((name) => !/^n[012]\.json$/.test(name))).toEqual([])
      await engine.close()
    }
    expect(acknowledged).toBeGreaterThan(2)
  })
})

describe('backups of records', () => {
  it('hold them, and a restore brings them back and puts newer ones aside', async () => {
    const dataDir = await scratchFolder()
    const engine = await start(dataDir)
    await engine.open(DEFAULT_COLLECTION, IDENTITY)
    await engine.records.put('alias', 'docs', 'docs-2')
    await engine.records.put('jobs', 'one', { state: 'done' })
    const { backup } = await engine.backups!.create({ name: 'whole' })
    const target = await scratchFolder()
    const later = await start(target)
    await later.open(DEFAULT_COLLECTION, IDENTITY)
    await later.records.put('jobs', 'later', 1)
    await later.close()
    const source = join(dataDir, 'backups/whole')
    const { aside, ...restored } = await restoreBackup({ source, dataDir: target, replace: true })
    expect(restored.backup).toEqual(backup)
    const { records } = await start(target)
    expect(await records.all('alias')).toEqual(new Map([['docs', 'docs-2']]))
    expect(await records.all('jobs')).toEqual(new Map([['one', { state: 'done' }]]))
    expect(await readdir(join(aside!, 'records/jobs'))).toEqual(['later.json'])

    await flip(join(source, 'records/jobs/one.json'), 10)
    const again = restoreBackup({ source, dataDir: await scratchFolder(), replace: false })
    await expect(again).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('records/jobs/one.json is not as it was written'),
    })
  })

  it('are not made of damaged ones, which verify names', async () => {
    const dataDir = await scratchFolder()
    const engine = await start(dataDir)
    await engine.open(DEFAULT_COLLECTION, IDENTITY)
    await engine.records.put('jobs', 'one', 1)
    await flip(join(dataDir, 'records/jobs/one.json'), 10)
    await expect(engine.backups!.create()).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining('records/jobs/one.json'),
    })
    await engine.close()
    const verified = await ran(verifyCommand, ['--data-dir', dataDir])
    expect(verified.status).toBe(1)
    expect(verified.stdout).toContain('records: records/jobs/one.json in the data folder is damaged')
  })

  it('pass over what is no record', async () => {
    const dataDir = await scratchFolder()
    const engine = await start(dataDir)
    await engine.open(DEFAULT_COLLECTION, IDENTITY)
    await engine.records.put('jobs', 'one', 1)
    await mkdir(join(dataDir, 'records/jobs/folder.d'))
    await writeFile(join(dataDir, 'records/jobs/README'), 'x')
    await engine.backups!.create({ name: 'whole' })
    expect(await readdir(join(dataDir, 'backups/whole/records/jobs'))).toEqual(['one.json'])
  })
})

it('a folder of records that cannot be written is said, by name', async () => {
  const dataDir = await scratchFolder()
  const { records } = await start(dataDir)
  await writeFile(join(dataDir, 'records'), 'a file')
  await chmod(join(dataDir, 'records'), 0o400)
  const unusable = { code: 'STORE_UNUSABLE', message: expect.stringContaining('The folder records') }
  await expect(records.put('jobs', 'one', 1)).rejects.toMatchObject(unusable)
  await expect(records.names('jobs')).rejects.toMatchObject(unusable)
})
