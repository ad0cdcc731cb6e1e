import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config/read.ts'
import { ServiceError } from '../../src/errors.ts'

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'llara-keys-')), 'keys')
  writeFileSync(file, text)
  return file
}

function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'INVALID_CONFIG') return error.message
    throw error
  }
  return ''
}

test('keys come from the variable and from a file, and are named by where they stand', () => {
  const file = fileOf('# of the reader\r\nread:from-file-1\r\n\r\n  write:from-file-2  \n')
  const { apiKeys } = readConfig({ API_KEYS: ' read:a:b , write:c', API_KEYS_FILE: file })
  expect(apiKeys).toEqual([
    { scope: 'read', key: 'a:b', name: 'API_KEYS:1' },
    { scope: 'write', key: 'c', name: 'API_KEYS:2' },
    { scope: 'read', key: 'from-file-1', name: 'API_KEYS_FILE:2' },
    { scope: 'write', key: 'from-file-2', name: 'API_KEYS_FILE:4' },
  ])
})

test('a key may have a name and an end, in either order', () => {
  const file = fileOf(
    '\uFEFFread:a name=ci expires=2026-12-31\nwrite:b\texpires=2026-12-31T18:00:00+02:00  name=ops@x.org\nread:#c=d\n',
  )
  expect(readConfig({ API_KEYS_FILE: file }).apiKeys).toEqual([
    { scope: 'read', key: 'a', name: 'ci', expiresAt: Date.UTC(2027, 0, 1) },
    { scope: 'write', key: 'b', name: 'ops@x.org', expiresAt: Date.UTC(2026, 11, 31, 16) },
    { scope: 'read', key: '#c=d', name: 'API_KEYS_FILE:3' },
  ])
})

test.each([
  ['hush', 1, 'must begin with read:<key>'],
  ['root:hush', 1, 'must begin with'],
  ['READ:hush', 1, 'must begin with'],
  ['read:', 1, 'must begin with'],
  ['read@:hush', 1, 'must name collections'],
  ['read@A:hush', 1, 'must name collections'],
  ['read@docs+:hush', 1, 'must name collections'],
  ['read@docs', 1, 'must begin with'],
  ['# fine\nread:hüsh', 2, 'must begin with'],
  ['read:fine\nread:hu sh', 2, 'and nothing else'],
  ['read:hush name=', 1, 'and nothing else'],
  ['read:hush # hush', 1, 'and nothing else'],
  ['read:hush name=ci name=hush', 1, 'name= twice'],
  ['read:hush name=<hush>', 1, 'a name of 1 to 64 letters'],
  [`read:hush name=${'x'.repeat(65)}`, 1, 'a name of 1 to 64 letters'],
  ['read:hush expires=2026-02-30', 1, 'must expire on a day'],
  ['read:hush expires=2026-13-01', 1, 'must expire on a day'],
  ['read:hush expires=31.12.2026', 1, 'must expire on a day'],
  ['read:hush expires=2026-12-31T18:00', 1, 'must expire on a day'],
  ['read:hush expires=2026-12-31T25:00Z', 1, 'must expire on a day'],
  ['read:hush expires=hush', 1, 'must expire on a day'],
])('%j is refused by its line and item, and nothing of it is repeated', (text, line, fault) => {
  const ofFile = faultsOf({ API_KEYS_FILE: fileOf(text) })
  expect(ofFile).toContain(`API_KEYS_FILE line ${line} `)
  expect(ofFile).toContain(fault)
  expect(ofFile).not.toMatch(/hush|hüsh|sh\b/)
  const ofVariable = faultsOf({ API_KEYS: text })
  expect(ofVariable).toContain('API_KEYS item ')
  expect(ofVariable).not.toMatch(/hush|hüsh/)
})

test('one key or one name twice is refused, also between variable and file', () => {
  const told = (environment: Record<string, string>) => {
    const faults = faultsOf(environment)
    expect(faults).not.toContain('hush')
    return faults
  }
  expect(told({ API_KEYS: 'read:hush,write:hush' })).toContain(
    'one key twice, as API_KEYS:1 and as API_KEYS:2',
  )
  expect(told({ API_KEYS_FILE: fileOf('read:hush1 name=a\nread:hush2 name=a') })).toContain(
    'two keys with the name a',
  )
  expect(told({ API_KEYS: 'read:hush', API_KEYS_FILE: fileOf('write:hush') })).toContain(
    'API_KEYS with API_KEYS_FILE has one key twice, as API_KEYS:1 and as API_KEYS_FILE:1',
  )
})

test('a file that is something else is told in a few words', () => {
  const faults = faultsOf({ API_KEYS_FILE: fileOf('hush\n'.repeat(5000)) })
  expect(faults.length).toBeLessThan(600)
  expect(faults).toContain('and 4995 more faults')
  expect(faultsOf({ API_KEYS_FILE: '/nowhere/keys' })).toContain('API_KEYS_FILE cannot be read (ENOENT)')
  expect(faultsOf({ API_KEYS_FILE: tmpdir() })).toContain('API_KEYS_FILE cannot be read (EISDIR)')
  expect(faultsOf({ API_KEYS_FILE: fileOf('# nothing yet\n') })).toContain('names a file without a key')
  const many = Array.from({ length: 1001 }, (_, i) => `read:hush${i}`).join('\n')
  expect(faultsOf({ API_KEYS_FILE: fileOf(many) })).toContain('has 1001 keys, and 1000 are allowed')
})

test('keys may be for single collections', () => {
  const { apiKeys } = readConfig({ API_KEYS: 'read@docs:hush,write@docs+blog-2:other' })
  expect(apiKeys).toMatchObject([
    { scope: 'read', key: 'hush', collections: ['docs'] },
    { scope: 'write', key: 'other', collections: ['docs', 'blog-2'] },
  ])
})
