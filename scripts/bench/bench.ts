import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** `npm run bench -- http|load|store|encoder|export|stall|lexical [options]`: each part is a program of its own in this folder. */
const PARTS = ['http', 'load', 'store', 'encoder', 'export', 'stall', 'lexical']
const [part = '', ...options] = process.argv.slice(2)
if (!PARTS.includes(part)) {
  console.error(`Usage: npm run bench -- ${PARTS.join(' | ')} [--help | options of that benchmark]`)
  process.exit(2)
}
const program = fileURLToPath(new URL(`./${part}.ts`, import.meta.url))
const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', program, ...options], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
