import { expect, test } from 'vitest'
import { type Bom, type Lock, sbomFaults, shippedPart } from '../scripts/sbom/cyclonedx.ts'

const HEX = '00'.repeat(64)
const integrity = `sha512-${Buffer.from(HEX, 'hex').toString('base64')}`

function component(name: string, development = false) {
  const properties = development ? [{ name: 'cdx:npm:package:development', value: 'true' }] : []
  const hashes = [{ alg: 'SHA-512', content: HEX }]
  return {
    'bom-ref': `${name}@1.0.0`,
    name,
    version: '1.0.0',
    purl: `pkg:npm/${name}@1.0.0`,
    properties,
    hashes,
  }
}

const ALL: Bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  serialNumber: 'urn:uuid:1',
  metadata: { timestamp: 'now', component: { ...component('folder'), 'bom-ref': 'us@1.0.0' } },
  components: [component('a'), component('@b/c'), component('tool', true)],
  dependencies: [
    { ref: 'us@1.0.0', dependsOn: ['a@1.0.0', 'tool@1.0.0'] },
    { ref: 'a@1.0.0', dependsOn: ['@b/c@1.0.0'] },
    { ref: 'tool@1.0.0', dependsOn: ['a@1.0.0'] },
  ],
}

const LOCK: Lock = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0', integrity },
    'node_modules/a/node_modules/@b/c': { version: '1.0.0', integrity },
    'node_modules/tool': { version: '1.0.0', integrity, dev: true },
  },
}

test('what is shipped is listed, and nothing that differs from run to run', () => {
  const bom = shippedPart(ALL, 'us')
  expect(bom.components.map(({ name }) => name)).toEqual(['a', '@b/c'])
  expect(bom.dependencies).toEqual([
    { ref: 'us@1.0.0', dependsOn: ['a@1.0.0'] },
    { ref: 'a@1.0.0', dependsOn: ['@b/c@1.0.0'] },
  ])
  expect(bom.metadata).toEqual({ component: expect.objectContaining({ name: 'us' }) })
  expect(bom).not.toHaveProperty('serialNumber')
  expect(sbomFaults(bom, LOCK)).toEqual([])
})

test.each<[string, (bom: Bom, lock: Lock) => void, string]>([
  ['a package that is missing', (bom) => bom.components.shift(), 'a@1.0.0 is installed and not listed'],
  [
    'one that is not installed',
    (_, lock) => delete lock.packages['node_modules/a'],
    'a@1.0.0 is listed and not installed',
  ],
  [
    'another checksum',
    (_, lock) => (lock.packages['node_modules/a']!.integrity = 'sha512-AA=='),
    'another checksum',
  ],
  ['no checksum', (bom) => delete bom.components[0]!.hashes, 'another checksum'],
  [
    'a dependency on nothing',
    (bom) => bom.dependencies[1]!.dependsOn.push('x@1.0.0'),
    'a@1.0.0 needs x@1.0.0',
  ],
  ['a component twice', (bom) => bom.components.push(bom.components[0]!), 'twice'],
  ['another format', (bom) => (bom.bomFormat = 'SPDX'), 'not a CycloneDX document'],
])('%s is a fault', (_what, change, message) => {
  const [bom, lock] = structuredClone([shippedPart(ALL, 'us'), LOCK] as const)
  change(bom, lock)
  expect(sbomFaults(bom, lock).join('\n')).toContain(message)
})
