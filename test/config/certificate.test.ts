import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { certificateDoubt } from '../../src/config/certificate.ts'
import { readConfig } from '../../src/config/read.ts'

const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'llara-tls-')), 'pem')
  writeFileSync(file, text)
  return file
}

test('a certificate and its key are read from files', () => {
  const { tlsCert, tlsKey } = readConfig({ TLS_CERT: pem('first.cert'), TLS_KEY: pem('first.key') })
  expect(tlsCert).toMatch(/^-----BEGIN CERTIFICATE-----/)
  expect(tlsKey).toMatch(/^-----BEGIN PRIVATE KEY-----/)
  expect(certificateDoubt({ cert: tlsCert, key: tlsKey })).toBeUndefined()
})

test.each([
  ['the key alone', undefined, pem('first.key'), 'TLS_KEY needs TLS_CERT'],
  ['the certificate alone', pem('first.cert'), undefined, 'TLS_CERT needs TLS_KEY'],
  ["another's key", pem('first.cert'), pem('second.key'), 'TLS_KEY is not the key of TLS_CERT'],
  ['each for the other', pem('first.key'), pem('first.cert'), 'TLS_CERT must hold a certificate'],
  ['a key with a passphrase', pem('first.cert'), pem('locked.key'), 'without a passphrase'],
  ['no certificate', fileOf('hush'), pem('first.key'), 'TLS_CERT must hold a certificate'],
  ['no key', pem('first.cert'), fileOf('hush'), 'TLS_KEY must hold a private key'],
  ['an empty file', fileOf(' \n'), pem('first.key'), 'TLS_CERT names an empty file'],
  ['no file', '/nowhere/cert', pem('first.key'), 'TLS_CERT cannot be read (ENOENT)'],
])('%s is refused', (_name, cert, key, fault) => {
  const read = () => readConfig({ ...(cert && { TLS_CERT: cert }), ...(key && { TLS_KEY: key }) })
  expect(read).toThrow(fault)
  expect(read).not.toThrow(/hush|PRIVATE KEY/)
})

test('a certificate outside of its time is doubted', () => {
  const { tlsCert, tlsKey } = readConfig({ TLS_CERT: pem('first.cert'), TLS_KEY: pem('first.key') })
  const certificate = { cert: tlsCert, key: tlsKey }
  expect(certificateDoubt(certificate, Date.UTC(2300, 0, 1))).toContain('expired on')
  expect(certificateDoubt(certificate, 0)).toContain('is valid from')
})
