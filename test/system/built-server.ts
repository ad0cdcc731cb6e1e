import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'dist/main.js')

export interface Exit {
  code: number | null
  signal: string | null
}

/** A server process of the build. */
export interface Running {
  url: string
  child: ChildProcess
  /** Both streams so far. */
  output(): string
  exit: Promise<Exit>
  kill(signal: NodeJS.Signals): Promise<Exit>
}

/** What no test may inherit from the shell it runs in. */
const CLEAN = { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', DEVICE: 'cpu', THREADS: '1' }

/** Starts the built program, in a folder that is not the project's. */
export function launch(
  environment: Record<string, string>,
  args: string[] = [],
  cwd = tmpdir(),
  program = main,
): Omit<Running, 'url'> {
  const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...CLEAN, ...environment } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
  const exit = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    child,
    output: () => output,
    exit,
    kill(signal) {
      child.kill(signal)
      return exit
    },
  }
}

/** Starts a server and waits until /readyz says so. */
export async function startServer(environment: Record<string, string>): Promise<Running> {
  const launched = launch(environment)
  let gone = false
  void launched.exit.then(() => {
    gone = true
  })
  for (;;) {
    if (gone) throw new Error(`the server ended:\n${launched.output()}`)
    const url = /Listening on (https?:\/\/[^;\s]+)/.exec(launched.output())?.[1]
    if (url && launched.output().includes('Ready after')) return { ...launched, url }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'llara-system-'))
}
