import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One folder for every temporary file of a test run, removed at its end: workers that are stopped leave nothing. */
const folder = mkdtempSync(join(tmpdir(), 'llara-test-'))

export function setup(): void {
  process.env.TMPDIR = folder
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true })
}
