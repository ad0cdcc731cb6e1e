import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setup as build } from '../../build.ts'
import { tinyModel } from '../../fixtures/tiny-model.ts'
import { Service } from '../world/service.ts'

/**
 * schemathesis over openapi.yaml, with all of its checks, against the built service: requests that the document allows and
 * requests that it forbids. `npx tsx test/campaign/schemathesis/run.ts <path of st> [seconds]`; requirements.txt has its version.
 */
const [program, seconds = '60'] = process.argv.slice(2)
if (!program) {
  console.error('Usage: npx tsx test/campaign/schemathesis/run.ts <path of st> [seconds]')
  process.exit(2)
}
const here = fileURLToPath(new URL('.', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'llara-schemathesis-'))
const key = 'schemathesis-0123456789abcdef'

build()
const service = await Service.start({
  MODEL: await tinyModel(),
  DATA_DIR: join(scratch, 'data'),
  API_KEYS: `write:${key}`,
  // It tries wrong keys on every route and wants 401 each time; the brake on guessing has tests of its own.
  AUTH_FAILURES_MAX: '100000',
})
const { status } = spawnSync(
  program,
  [
    ...['--config-file', join(here, 'schemathesis.toml')],
    ...['run', join(here, '../../../openapi.yaml'), '--url', service.process.url],
    ...['--max-time', seconds, '--workers', '2', '--continue-on-failure'],
    ...['-H', `Authorization: Bearer ${key}`],
  ],
  { stdio: 'inherit', cwd: scratch, env: { ...process.env, SCHEMATHESIS_HOOKS: join(here, 'hooks.py') } },
)
await service.stop()
rmSync(scratch, { recursive: true, force: true })
process.exit(status ?? 1)
