import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDataFile } from '../database/data-folder.ts'
import { syncFolder } from '../hnsw/graph-file.ts'

/** Below the data folder: the restored files until they are in place, and what is left to do. */
const DRAFT = '.restoring'
const PLAN = '.restore.json'

interface Plan {
  /** Folder, below the data folder, for what was there before. */
  aside: string
  /** First what was there goes aside, then what is restored comes in; each step may be done again. */
  step: 'clear' | 'fill'
}

export function draftOf(dataDir: string): string {
  return join(dataDir, DRAFT)
}

/** From here on the restored files count, also if the process ends now. */
export function commitRestore(dataDir: string, aside: string): void {
  syncFolder(draftOf(dataDir))
  writePlan(dataDir, { aside, step: 'clear' })
}

/**
 * Puts restored files in their place, where a restore got that far; else removes what it left. The caller holds the
 * folder.
 *
 * @returns whether there was something to put in place
 */
export function finishRestore(dataDir: string): boolean {
  const plan = readPlan(dataDir)
  const draft = draftOf(dataDir)
  if (!plan) {
    rmSync(draft, { recursive: true, force: true })
    return false
  }
  if (plan.step === 'clear') {
    const old = readdirSync(dataDir).filter(isDataFile)
    const aside = join(dataDir, plan.aside)
    if (old.length > 0) mkdirSync(aside, { recursive: true })
    for (const name of old) renameSync(join(dataDir, name), join(aside, name))
    if (existsSync(aside)) syncFolder(aside)
    syncFolder(dataDir)
    writePlan(dataDir, { ...plan, step: 'fill' })
  }
  const restored = existsSync(draft) ? readdirSync(draft).filter(isDataFile) : []
  for (const name of restored) renameSync(join(draft, name), join(dataDir, name))
  syncFolder(dataDir)
  rmSync(join(dataDir, PLAN))
  rmSync(draft, { recursive: true, force: true })
  syncFolder(dataDir)
  return true
}

function writePlan(dataDir: string, plan: Plan): void {
  const draft = join(dataDir, `${PLAN}.new`)
  writeFileSync(draft, JSON.stringify(plan), { flush: true })
  renameSync(draft, join(dataDir, PLAN))
  syncFolder(dataDir)
}

function readPlan(dataDir: string): Plan | undefined {
  const file = join(dataDir, PLAN)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Plan) : undefined
}
