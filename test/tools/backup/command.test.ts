import { existsSync } from 'node:fs'
import { open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backupCommand } from '../../../src/tools/backup/command.ts'
import { restoreCommand } from '../../../src/tools/restore/command.ts'
import { ran } from '../../cli/run-command.ts'
import { openStored } from '../../http/stored-service.ts'
import { scratchFolder } from '../../index/scratch.ts'

const backup = (...args: string[]) => ran(backupCommand, args)
const restore = (...args: string[]) => ran(restoreCommand, args)

const key = 'w'.repeat(24)
const apiKeys = [{ scope: 'write' as const, key }]

async function filled(dataDir: string) {
  const service = await openStored(dataDir, { apiKeys })
  const documents = Array.from({ length: 20 }, (_, n) => ({ id: `d${n}`, text: `the sky is blue ${n}` }))
  await service.http().post('/documents').auth(key, { type: 'bearer' }).send({ documents }).expect(200)
  return service
}

test('a running service is backed up, downloaded, and restored from the archive', async () => {
  const [dataDir, place] = [await scratchFolder(), await scratchFolder()]
  const service = await filled(dataDir)
  const [out, keyFile] = [join(place, 'documents.tar'), join(place, 'key')]
  await writeFile(keyFile, `${key}\n`)
  const refused = await backup('--url', service.url, '--out', out)
  expect(refused.status).toBe(1)
  expect(refused.stderr).toContain('Pass a key of scope write with --api-key-file.')
  const args = ['--url', service.url, '--api-key-file', keyFile, '--name', 'mine', '--out', out]
  const made = await backup(...args)
  expect(made).toMatchObject({ status: 0, stderr: '' })
  expect(made.stdout).toMatch(
    /^Backup mine: 20 documents, [\d.]+ kB, verified\.\nDownloaded into .*, verified\.\n$/,
  )
  expect((await readdir(place)).sort()).toEqual(['documents.tar', 'key'])
  expect(await backup(...args)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('exists already'),
  })

  const target = join(await scratchFolder(), 'new', 'data')
  const restored = await restore(out, '--data-dir', target)
  expect(restored).toMatchObject({ status: 0, stderr: '' })
  expect(restored.stdout).toContain('Collection default: 20 documents.')
  const again = await openStored(target)
  const { body } = await again.http().get('/documents/d7').expect(200)
  expect(body.text).toBe('the sky is blue 7')
})

test('a stopped folder is backed up and restored over itself, what was there is kept', async () => {
  const [dataDir, to] = [await scratchFolder(), await scratchFolder()]
  const service = await filled(dataDir)
  const inUse = await backup('--data-dir', dataDir, '--to', to)
  expect(inUse).toMatchObject({ status: 2, stderr: expect.stringContaining('Another process is using') })
  await service.close()
  expect(await backup('--data-dir', dataDir, '--to', to, '--name', 'a')).toMatchObject({ status: 0 })
  const source = join(to, 'a')
  const refused = await restore(source, '--data-dir', dataDir)
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--replace') })
  const replaced = await restore(source, '--data-dir', dataDir, '--replace')
  expect(replaced).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('What was there before is in'),
  })
  const again = await openStored(dataDir)
  await again.http().get('/documents/d3').expect(200)
})

test('an archive that is cut, changed or none is refused, and the folder stays as it was', async () => {
  const [dataDir, place] = [await scratchFolder(), await scratchFolder()]
  const service = await filled(dataDir)
  const [out, keyFile] = [join(place, 'documents.tar'), join(place, 'key')]
  await writeFile(keyFile, key)
  await backup('--url', service.url, '--api-key-file', keyFile, '--out', out)
  const whole = await readFile(out)
  const spoilt = async (spoil: (file: string) => Promise<unknown>) => {
    await writeFile(out, whole)
    await spoil(out)
    const target = await scratchFolder()
    const { status, stderr } = await restore(out, '--data-dir', target)
    expect(status).toBe(2)
    expect(stderr).toContain('Not restored.')
    expect((await readdir(target)).filter((name) => name !== 'lock.sqlite')).toEqual([])
  }
  for (const share of [0, 0.1, 0.5, 0.9])
    await spoilt((file) => truncate(file, Math.floor(whole.length * share)))
  for (const needle of ['the sky is blue 7', 'backup.json', '"documents"', 'store.sqlite\0']) {
    await spoilt(async (file) => {
      const handle = await open(file, 'r+')
      await handle.write('X', whole.indexOf(needle))
      await handle.close()
    })
  }
  await spoilt((file) => writeFile(file, 'not an archive'))
  const nothing = await restore(join(place, 'nothing.tar'), '--data-dir', join(place, 'data'))
  expect(nothing).toMatchObject({ status: 2, stderr: expect.stringContaining('There is no backup') })
  expect(existsSync(join(place, 'data'))).toBe(false)
})

test('what cannot be done is refused before anything is', async () => {
  const folder = await scratchFolder()
  expect(await backup()).toMatchObject({ status: 2, stderr: expect.stringContaining('--url') })
  const both = await backup('--url', 'http://127.0.0.1:9', '--data-dir', folder)
  expect(both).toMatchObject({ status: 2 })
  const gone = await backup('--url', 'http://127.0.0.1:9', '--out', join(folder, 'x.tar'))
  expect(gone).toMatchObject({ status: 1, stderr: expect.stringContaining('Nothing answers') })
  expect(await backup('--data-dir', join(folder, 'none'))).toMatchObject({ status: 2 })
  expect(await backup('--data-dir', folder)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('no database'),
  })
  expect(await backup('--data-dir', folder, '--name', '../x')).toMatchObject({ status: 1 })
  await rm(join(folder, 'lock.sqlite'))
  expect(await readdir(folder)).toEqual([])
})
