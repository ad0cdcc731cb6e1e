import { readFileSync, writeFileSync } from 'node:fs'
import { configMarkdown } from '../src/config/help.ts'

/**
 * Writes docs/configuration.md from the table of settings. `--check` compares instead and fails where they differ.
 *
 *   npm run docs:config [-- --check]
 */
const file = new URL('../docs/configuration.md', import.meta.url)
if (!process.argv.includes('--check')) writeFileSync(file, configMarkdown())
else if (readFileSync(file, 'utf8') !== configMarkdown()) {
  console.error('docs/configuration.md differs from the settings in src/config. Run npm run docs:config.')
  process.exit(1)
}
