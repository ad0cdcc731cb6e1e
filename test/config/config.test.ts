import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configHelp, configMarkdown } from '../../src/config/help.ts'
import { defaultConfig, readConfig } from '../../src/config/read.ts'
import { SETTINGS, variableName } from '../../src/config/settings.ts'
import { ServiceError } from '../../src/errors.ts'

function faults(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'INVALID_CONFIG')
      return error.details['faults'] as string[]
    throw error
  }
  return []
}

test('the names and defaults outsiders rely on', () => {
  expect(defaultConfig()).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    dataDir: './data',
    model: 'llara-mini',
    device: 'auto',
    apiKeys: [],
    logLevel: 'info',
  })
  const names = Object.keys(SETTINGS).map(variableName)
  for (const name of ['HOST', 'PORT', 'DATA_DIR', 'MODEL', 'DEVICE', 'API_KEYS', 'LOG_LEVEL']) {
    expect(names).toContain(name)
  }
})

test('every default passes its own check', () => {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    if (setting.fallbackText !== '')
      expect([name, setting.parse(setting.fallbackText)]).toEqual([name, setting.fallback])
  }
})

test('values are read; empty ones count as unset', () => {
  const config = readConfig({
    PORT: '0',
    DEVICE: 'cuda',
    BODY_BYTES_MAX: '2048',
    ALLOW_INSECURE: 'true',
    MODEL: '',
    PATH: '/bin',
  })
  expect(config).toMatchObject({
    port: 0,
    device: 'cuda',
    bodyBytesMax: 2048,
    allowInsecure: true,
    model: 'llara-mini',
  })
})

test('all faults are told at once', () => {
  const found = faults({
    PORT: '8o80',
    DEVICE: 'tpu',
    K_MAX: '-1',
    API_KEYS: 'admin:abc',
    LOGLEVEL: 'info',
    HOST: '0.0.0.0',
  })
  expect(found).toHaveLength(5)
  for (const name of ['PORT', 'DEVICE', 'K_MAX', 'API_KEYS', 'LOGLEVEL']) {
    expect(found.some((fault) => fault.startsWith(name))).toBe(true)
  }
})

test.each(['', ' ', '1.5', '1e3', '0x10', '-1', '65536', '99999999999999999999'])(
  'PORT %j is no port',
  (value) => {
    expect(faults({ PORT: value })).toHaveLength(value === '' ? 0 : 1)
  },
)

test.each(['API_KEY', 'APIKEYS', 'DATADIR', 'DATA_DIRS', 'LOG_LEVELS'])('%s is taken for a slip', (name) => {
  expect(faults({ [name]: 'x' })[0]).toContain('did you mean')
})

test.each(['HOSTS', 'PORTS', 'MODELS', 'HOME', 'XDG_DATA_DIRS', 'DEVICES'])(
  "%s is somebody else's",
  (name) => {
    expect(faults({ [name]: 'x' })).toEqual([])
  },
)

test.each(['0.0.0.0', '::', '192.168.1.4', 'example.org', '127.evil.com'])('%s needs a key', (host) => {
  expect(faults({ HOST: host })[0]).toContain('API_KEYS')
  expect(faults({ HOST: host, API_KEYS: 'write:0123456789abcdef' })).toEqual([])
  expect(faults({ HOST: host, ALLOW_INSECURE: 'true' })).toEqual([])
  expect(faults({ HOST: host, ALLOW_INSECURE: 'false' })).toHaveLength(1)
})

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('%s is loopback', (host) => {
  expect(faults({ HOST: host })).toEqual([])
})

test('help and docs/configuration.md name every setting', () => {
  const committed = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  expect(committed).toBe(configMarkdown())
  for (const name of Object.keys(SETTINGS).map(variableName)) {
    expect(configHelp()).toContain(`  ${name} (`)
    expect(committed).toContain(`\`${name}\``)
  }
})

test.each(['127.0.0.1', '10.0.0.0/8', 'loopback', 'loopback, 192.168.1.4,fd00::/8', '::1'])(
  '%s may name proxies',
  (value) => {
    expect(readConfig({ TRUST_PROXY: value }).trustProxy).toEqual(value.split(/, ?/))
  },
)

test.each(['true', '*', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0/8', 'proxy', ','])(
  '%s names no proxy',
  (value) => {
    expect(faults({ TRUST_PROXY: value })[0]).toMatch(/^TRUST_PROXY must list/)
  },
)
