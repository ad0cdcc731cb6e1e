import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

interface ServerProcess {
  url: string
  pid: number
  close(): Promise<void>
}

/** The built server on a free port, with a data folder that goes when it does. */
export async function startServer(settings: Record<string, string>): Promise<ServerProcess> {
  if (!existsSync(MAIN)) throw new Error('there is no build; run: npm run build')
  const dataDir = mkdtempSync(join(tmpdir(), 'llara-bench-'))
  const environment = {
    ...process.env,
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    API_KEYS: '',
    LOG_LEVEL: 'warn',
    ...settings,
  }
  const child = spawn(process.execPath, [MAIN], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await ready(child)
  return {
    url,
    pid: child.pid!,
    async close() {
      const gone = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function ready(child: ChildProcess): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)))
    child.stdout?.on('data', (chunk) => {
      output += chunk
      const url = /Listening on (http:\/\/[^;\s]+)/.exec(output)?.[1]
      if (url && output.includes('Ready after')) resolve(url)
    })
  })
}

/** One value of /metrics, whatever its labels. Reading resets the event-loop delay's window. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]
  if (value === undefined) throw new Error(`/metrics has no ${name}`)
  return Number(value)
}
