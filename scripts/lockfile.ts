import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'

/**
 * Completes package-lock.json after a change of dependencies. `--check` only looks, needs no network, and fails
 * with what is wrong.
 *
 *   npm run lockfile [-- --check]
 *
 * - Every package has its checksum: whichever registry it comes from, it is the one that was tested.
 * - No package has a download address: npm asks the registry that the person has set.
 * - A package whose install scripts package.json denies (`allowScripts`) is not marked as having any. npm before
 *   11.19 does not know `allowScripts`, but runs install scripts only where the lock file has the mark. Without
 *   it onnxruntime-node does not download CUDA's libraries at every install, nor fail one where it cannot.
 * - A package that has the mark is one that `allowScripts` decides about; for others newer npm warns at install.
 * - No package says for which C library it is: npm before 11.8 removes that again at every install.
 */
interface Locked {
  version: string
  integrity?: string
  resolved?: string
  hasInstallScript?: boolean
  libc?: string[]
}

const lockFile = new URL('../package-lock.json', import.meta.url)
const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync(lockFile, 'utf8'))
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const allowed: Record<string, boolean> = manifest.allowScripts

if (!process.argv.includes('--check')) {
  await complete()
  writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`)
}
const faults = Object.entries(lock.packages).flatMap(([path, locked]) =>
  path === '' ? [] : faultsOf(nameOf(path), locked).map((fault) => `${path}: ${fault}`),
)
if (faults.length > 0) {
  console.error(
    `package-lock.json, after a change of dependencies run: npm run lockfile\n${faults.join('\n')}`,
  )
  process.exit(1)
}

function faultsOf(name: string, { integrity, resolved, hasInstallScript, libc }: Locked): string[] {
  const faults: string[] = []
  if (!integrity) faults.push('has no checksum')
  if (libc) faults.push('names a C library')
  if (resolved) faults.push('has a download address')
  if (hasInstallScript && allowed[name] === undefined) {
    faults.push('has install scripts; allow or deny them under allowScripts in package.json')
  }
  if (hasInstallScript && allowed[name] === false)
    faults.push('is marked for install scripts that are denied')
  return faults
}

/** Changes what can be changed without a decision. Asks the registry for missing checksums, four at a time. */
async function complete(): Promise<void> {
  const paths = Object.keys(lock.packages).filter((path) => path !== '')
  const next = async () => {
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      const { version, integrity, ...rest } = lock.packages[path]!
      const name = nameOf(path)
      delete rest.resolved
      delete rest.libc
      if (allowed[name] === false) delete rest.hasInstallScript
      // The checksum right after the version, as npm writes it: npm then changes nothing in the file.
      const checksum = integrity ?? (await publishedChecksum(`${name}@${version}`))
      lock.packages[path] = { version, integrity: checksum, ...rest }
    }
  }
  await Promise.all([next(), next(), next(), next()])
}

async function publishedChecksum(spec: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', ['view', spec, 'dist.integrity'])
  return stdout.trim()
}

/** The path's last package: node_modules/a/node_modules/@b/c is @b/c. */
function nameOf(path: string): string {
  return path.split('node_modules/').at(-1)!
}
