import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One folder for every temporary file of a test run, removed at its end: workers that are stopped leave nothing. */
export default function temporaryFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'llara-test-'))
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
