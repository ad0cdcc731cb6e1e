import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { say, type Terminal } from '../../src/cli/terminal.ts'
import { ServiceError } from '../../src/errors.ts'
import { ServiceClient } from '../../src/tools/service-client.ts'

export interface Service {
  client: ServiceClient
  /** Started by this run, on data that goes with it. */
  own: boolean
  close(): Promise<void>
}

/** @throws ToolError INVALID_USAGE for what is not an address */
export function runningService(url: string): Service {
  return { client: clientOf(url), own: false, close: async () => {} }
}

/**
 * A service inside this process, on a data folder of its own.
 * @throws ServiceError where it cannot start
 */
export async function ownService({ stdout }: Terminal): Promise<Service> {
  // Loaded here: with --url none of it is needed.
  const { createApp } = await import('../../src/app.ts')
  const { readConfig } = await import('../../src/config/read.ts')
  const { MODEL, DEVICE, THREADS } = process.env
  const config = readConfig({ MODEL, DEVICE, THREADS, PORT: '0', LOG_LEVEL: 'error' })
  say(stdout, 'Starting a service ...')
  const dataDir = await mkdtemp(join(tmpdir(), 'llara-sample-'))
  const app = await createApp({ ...config, dataDir })
  const close = async () => {
    await app.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const { url } = await app.start()
    return { client: clientOf(url), own: true, close }
  } catch (error) {
    await close()
    if (!(error instanceof ServiceError)) throw error
    const message = `${error.message}\nOr name a running service: npm run sample -- --url http://127.0.0.1:8080`
    throw new ServiceError(error.code, message, error.details, error)
  }
}

function clientOf(url: string): ServiceClient {
  const key = process.env['API_KEY']
  return new ServiceClient(url, { key, keyAdvice: 'Set API_KEY to a key with write scope.' })
}
