import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Bom, type Lock, sbomFaults, shippedPart } from './cyclonedx.ts'

/**
 * Writes the software bill of materials (CycloneDX 1.5, JSON) of what is shipped: every package that package-lock.json
 * installs without the development dependencies, with its version, licence and checksum. Needs no network. The same
 * lock file gives the same bill.
 *
 *   npm run sbom -- FILE      write it
 *   npm run sbom -- --check   make it, and fail where it lacks a package or says something else than the lock file
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const json = <T>(name: string): T => JSON.parse(readFileSync(`${root}/${name}`, 'utf8'))
const [target] = process.argv.slice(2)
if (!target) {
  console.error('Say where the bill goes: npm run sbom -- FILE')
  process.exit(2)
}

const wish = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']
const made = await promisify(execFile)('npm', wish, {
  cwd: root,
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === 'win32',
})
const bom = shippedPart(JSON.parse(made.stdout) as Bom, json<{ name: string }>('package.json').name)
const faults = sbomFaults(bom, json<Lock>('package-lock.json'))
if (faults.length > 0) {
  console.error(`The software bill of materials is wrong:\n${faults.join('\n')}`)
  process.exit(1)
}
if (target === '--check') console.log(`${bom.components.length} packages in the software bill of materials`)
else writeFileSync(target, `${JSON.stringify(bom, null, 2)}\n`)
