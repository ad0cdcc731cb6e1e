import { mkdtempSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkRoom, diskFault, replaceFile } from '../../src/tools/disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'llara-disk-'))
const advice = 'Make room.'

test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('%s is a full disk, and says what to do', (code) => {
  const cause = Object.assign(new Error(code), { code })
  expect(diskFault(cause, { place: '/data/x', advice })).toMatchObject({
    code: 'DISK_FULL',
    message: `The disk is full (${code}), writing /data/x. Make room.`,
    cause,
  })
})

test.each(['EACCES', 'EPERM', 'EROFS'])('%s is a place that cannot be written', (code) => {
  const fault = diskFault(Object.assign(new Error(code), { code }), { place: '/data/x', advice })
  expect(fault).toMatchObject({ code: 'NOT_WRITABLE', message: expect.stringContaining(`(${code})`) })
})

test('any other fault stays what it is', () => {
  const error = new TypeError('x')
  expect(diskFault(error, { place: '/data/x', advice })).toBe(error)
})

test('room is checked against what is free', async () => {
  const { bavail, bsize } = statfsSync(folder)
  await checkRoom(folder, 1, 'The export', advice)
  await expect(checkRoom(folder, bavail * bsize * 2 + 1e9, 'The export', advice)).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(
      /^The disk is too full: The export needs [\d.]+ .B, and .* free\. Make room\.$/,
    ),
    details: { needed: expect.any(Number), free: expect.any(Number) },
  })
})

test('a file is replaced whole, and nothing stays beside it', async () => {
  const file = join(folder, 'a.json')
  await replaceFile(file, 'old')
  await replaceFile(file, 'new')
  expect(readFileSync(file, 'utf8')).toBe('new')
  await expect(replaceFile(join(folder, 'none', 'b.json'), 'x')).rejects.toThrow('ENOENT')
  expect(readdirSync(folder)).toEqual(['a.json'])
})
