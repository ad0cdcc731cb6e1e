import { resolve } from 'node:path'
import { type App, createApp, type Started } from './app.ts'
import { causeLine } from './cause.ts'
import { defineCommand } from './cli/command.ts'
import { type ExitCode, exitCodeOf } from './cli/exit-code.ts'
import { faultLine } from './cli/run.ts'
import { say, type Terminal } from './cli/terminal.ts'
import { certificateDoubt } from './config/certificate.ts'
import { configHelp } from './config/help.ts'
import { readConfig } from './config/read.ts'
import type { Config } from './config/settings.ts'
import { toServiceError } from './errors.ts'
import { VERSION } from './version.ts'

/** Keys with fewer characters are warned of. */
const SHORT_KEY = 16

/** A start longer than this says every so often what it is doing. */
const STILL_MS = 5000

/** Runs the service until it is stopped by a signal or a part of it dies; the process then ends by itself. */
export const serveCommand = defineCommand({
  name: 'serve',
  npm: 'npm start',
  about: configHelp(),
  options: {},
  usageAdvice: 'Settings are environment variables.',
  run: (_call, terminal) => serve(readConfig(), terminal),
})

async function serve(config: Config, terminal: Terminal): Promise<void> {
  const began = performance.now()
  const elapsed = (digits: number) => ((performance.now() - began) / 1000).toFixed(digits)
  say(terminal.stdout, `LLaRA Serve ${VERSION}`)
  for (const doubt of doubtsOf(config)) say(terminal.stderr, `Warning: ${doubt}`)
  let doing = ''
  const app = await createApp(
    config,
    {},
    {
      onProgress(line) {
        doing = line
        say(terminal.stdout, line)
      },
      onFailure: (error) => void stop(app, terminal, 1, `Stopping: ${faultLine(error)}`),
    },
  )
  listenForSignals(app, terminal)
  process.on('SIGHUP', () => reload(app, terminal))
  const still = setInterval(
    () => say(terminal.stdout, `  Still starting (${elapsed(0)} s): ${doing}`),
    STILL_MS,
  )
  try {
    const started = await app.start()
    clearInterval(still)
    say(terminal.stdout, `${await banner(started, config)}\nReady after ${elapsed(1)} s.`)
  } catch (thrown) {
    clearInterval(still)
    if (app.state() === 'draining') return
    const error = toServiceError(thrown)
    await stop(app, terminal, exitCodeOf(error), `Cannot start: ${faultLine(error)}`)
  }
}

/** What is legal about keys and certificate, and worth a second look; names, never values. */
function doubtsOf({ apiKeys, tlsCert: cert, tlsKey: key }: Config): string[] {
  const names = (keys: Config['apiKeys']) => keys.map(({ name }) => name).join(', ')
  const short = apiKeys.filter(({ key }) => key.length < SHORT_KEY)
  const expired = apiKeys.filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt <= Date.now())
  return [
    short.length > 0 &&
      `keys of fewer than ${SHORT_KEY} characters can be guessed; use long random ones: ${names(short)}.`,
    expired.length > 0 && `keys that have expired are refused: ${names(expired)}.`,
    cert !== '' && certificateDoubt({ cert, key }),
  ].filter((doubt) => typeof doubt === 'string')
}

/** Reads keys and certificate again; whatever is wrong with them leaves the old ones in force. */
function reload(app: App, terminal: Terminal): void {
  const { log } = app.server
  const facts = { audit: true, action: 'reload' }
  try {
    const config = readConfig()
    const { added, removed } = app.reload(config)
    log.info({ ...facts, keys: config.apiKeys.length, added, removed }, 'audit')
    for (const doubt of doubtsOf(config)) log.warn(facts, doubt)
    say(
      terminal.stdout,
      `SIGHUP: ${config.apiKeys.length} API keys${config.tlsCert && ' and the certificate'} are in force.`,
    )
  } catch (thrown) {
    const { message } = toServiceError(thrown)
    log.error({ ...facts, cause: causeLine(thrown) }, 'Nothing was reloaded; what was in force stays.')
    say(terminal.stderr, `SIGHUP: nothing was reloaded; what was in force stays. ${message}`)
  }
}

function listenForSignals(app: App, terminal: Terminal): void {
  let asked = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1)
      asked = true
      say(terminal.stdout, `${signal}: finishing open requests; send it again to stop at once.`)
      void stop(app, terminal, 0)
    })
  }
}

/** Ends the process whatever happens: a supervisor restarts what ends with a code other than 0. */
async function stop(app: App, terminal: Terminal, code: ExitCode, complaint?: string): Promise<never> {
  if (complaint) say(terminal.stderr, complaint)
  try {
    await app.close()
    if (code === 0) say(terminal.stdout, 'Stopped.')
  } catch (error) {
    say(terminal.stderr, faultLine(error))
    process.exit(code || 1)
  }
  process.exit(code)
}

async function banner(
  { url, retrieval: { encoder, reranker, index } }: Started,
  config: Config,
): Promise<string> {
  const { id, dimensions, precision } = encoder.card
  const { engine, documents } = await index.stats()
  const rows = [
    ['url', url],
    ['model', `${id} (${precision})`],
    ['dimensions', dimensions],
    ['device', `${encoder.device.provider}: ${encoder.device.reason}`],
    ...(reranker ? [['reranker', `${reranker.card.id} (${reranker.card.precision})`]] : []),
    ['documents', `${documents} in ${resolve(config.dataDir)} (${engine})`],
    ['access', config.apiKeys.length > 0 ? `${config.apiKeys.length} API keys` : 'open: no API keys'],
    ['docs', `${url}/docs`],
  ]
  return rows.map(([name, value]) => `  ${String(name).padEnd(11)} ${value}`).join('\n')
}
