import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** `npm run bench -- encoder|store|http|export [options]`: each part has a script of its own. */
const [part, ...options] = process.argv.slice(2)
const script = fileURLToPath(new URL(`./bench-${part}.ts`, import.meta.url))
if (!part || !/^[a-z]+$/.test(part) || !existsSync(script)) {
  console.error(
    'Usage: npm run bench -- encoder | store | http | export [--help | options of that benchmark]',
  )
  process.exit(2)
}
const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', script, ...options], {
  stdio: 'inherit',
})
process.exit(status ?? 1)
