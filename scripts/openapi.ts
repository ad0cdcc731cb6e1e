import { readFileSync, writeFileSync } from 'node:fs'
import { contract } from '../src/app.ts'

/**
 * Writes openapi.yaml from the routes. `--check` compares instead and fails where they differ.
 *
 *   npm run openapi [-- --check]
 */
const file = new URL('../openapi.yaml', import.meta.url)
const generated = await contract()
if (!process.argv.includes('--check')) writeFileSync(file, generated)
else if (readFileSync(file, 'utf8') !== generated) {
  console.error('openapi.yaml differs from the routes. Run npm run openapi.')
  process.exit(1)
}
