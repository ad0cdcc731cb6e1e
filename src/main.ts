import { resolve } from 'node:path'
import { type App, createApp, type Started, version } from './app.ts'
import { configHelp } from './config/help.ts'
import { readConfig } from './config/read.ts'
import type { Config } from './config/settings.ts'
import { toServiceError } from './errors.ts'

/** Exit codes: 0 stopped when asked, 1 failed, 2 cannot run with these settings. */
const FAILED = 1
const MISCONFIGURED = 2
const EXIT_CODES =
  'Exit codes: 0 stopped when asked, 1 failed, 2 cannot run with these settings, model or data.'
/** A start longer than this says every so often that it is still at it. */
const STILL_MS = 5000

await main(process.argv.slice(2))

async function main(args: string[]): Promise<void> {
  const unknown = args.filter((arg) => !['--help', '-h', '--version'].includes(arg))
  if (unknown.length > 0)
    refuse(`Unknown arguments: ${unknown.join(' ')}. Settings are environment variables; see --help.`)
  if (args.includes('--version')) return console.log(version)
  if (args.length > 0) return console.log(`LLaRA Serve ${version}\n\n${configHelp()}${EXIT_CODES}`)
  await serve(settings())
}

async function serve(config: Config): Promise<void> {
  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
  console.log(`LLaRA Serve ${version}`)
  if (config.apiKeys.some(({ key }) => key.length < 16)) {
    console.warn('Warning: an API key has fewer than 16 characters; long random keys cannot be guessed.')
  }
  let doing = ''
  const say = (line: string) => {
    doing = line
    console.log(line)
  }
  const app = await createApp(config, {
    onProgress: say,
    onFailure: (error) => void stop(app, `Stopping: ${error.message}`, FAILED),
  })
  listenForSignals(app)
  const still = setInterval(() => console.log(`  still at it after ${seconds()} s: ${doing}`), STILL_MS)
  try {
    const started = await app.start()
    clearInterval(still)
    console.log(`${banner(started, config)}\nReady after ${seconds()} s.`)
  } catch (thrown) {
    clearInterval(still)
    if (app.state() === 'draining') return
    const error = toServiceError(thrown)
    const cause = error.code === 'INTERNAL' && error.cause instanceof Error ? `\n${error.cause.stack}` : ''
    const misconfigured = ['INVALID_CONFIG', 'MODEL_UNUSABLE', 'STORE_UNUSABLE'].includes(error.code)
    await stop(app, `Cannot start: ${error.message}${cause}`, misconfigured ? MISCONFIGURED : FAILED)
  }
}

function settings(): Config {
  try {
    return readConfig()
  } catch (error) {
    return refuse((error as Error).message)
  }
}

function refuse(message: string): never {
  console.error(message)
  process.exit(MISCONFIGURED)
}

function listenForSignals(app: App): void {
  let asked = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(FAILED)
      asked = true
      console.log(`${signal}: finishing open requests; once more to stop at once.`)
      void stop(app, undefined, 0)
    })
  }
}

/** Ends the process whatever happens: a supervisor restarts what ends with a code other than 0. */
async function stop(app: App, complaint: string | undefined, code: number): Promise<never> {
  if (complaint) console.error(complaint)
  try {
    await app.close()
    if (code === 0) console.log('Stopped.')
  } catch (error) {
    console.error(toServiceError(error).message)
    process.exit(code || FAILED)
  }
  process.exit(code)
}

function banner({ url, retrieval: { encoder, store } }: Started, config: Config): string {
  const { id, dimensions, precision } = encoder.card
  const { engine, documents } = store.stats()
  const rows = [
    ['url', url],
    ['model', `${id} (${precision})`],
    ['dimensions', dimensions],
    ['device', `${encoder.device.provider}: ${encoder.device.reason}`],
    ['documents', `${documents} in ${resolve(config.dataDir)} (${engine})`],
    ['access', config.apiKeys.length > 0 ? `${config.apiKeys.length} API keys` : 'open: no API keys'],
    ['docs', `${url}/docs`],
  ]
  return rows.map(([name, value]) => `  ${String(name).padEnd(11)} ${value}`).join('\n')
}
