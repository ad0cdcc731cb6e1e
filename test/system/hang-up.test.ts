import { lookup } from 'node:dns/promises'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { launch, type Running, startServer, temporaryFolder } from './built-server.ts'

const running: Omit<Running, 'url'>[] = []
afterEach(() => Promise.all(running.splice(0).map((server) => server.kill('SIGKILL'))))

async function start(environment: Record<string, string> = {}): Promise<Running> {
  const server = await startServer({ MODEL: await tinyModel(), DATA_DIR: temporaryFolder(), ...environment })
  running.push(server)
  return server
}

/** Hangs up and waits for what the service says about it. */
async function hangUp({ child, output }: Omit<Running, 'url'>): Promise<string> {
  const before = output().length
  child.kill('SIGHUP')
  await expect.poll(() => output().slice(before), { timeout: 10_000 }).toMatch(/^SIGHUP: .+\n/m)
  return output().slice(before)
}

const status = async (url: string, key?: string) =>
  (await fetch(`${url}/info`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }))
    .status

test('SIGHUP never ends the service, whether there is something to reload or not', async () => {
  const server = await start()
  await hangUp(server)
  await hangUp(server)
  expect(await status(server.url)).toBe(200)
  const starting = launch({ MODEL: await tinyModel(), DATA_DIR: temporaryFolder() })
  running.push(starting)
  await expect.poll(starting.output, { timeout: 30_000 }).toContain('LLaRA Serve')
  starting.child.kill('SIGHUP')
  await expect.poll(starting.output, { timeout: 30_000 }).toContain('Ready after')
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('SIGHUP reads the keys again; a faulty file leaves the old ones in force and says so', async () => {
  const file = join(temporaryFolder(), 'keys')
  const [first, second] = ['first-key-0123456789', 'second-key-0123456789']
  writeFileSync(file, `read:${first} name=first\n`)
  const server = await start({ API_KEYS_FILE: file })
  expect(await status(server.url, first)).toBe(200)
  expect(await status(server.url, second)).toBe(401)

  writeFileSync(file, `write:${second} name=second\n`)
  expect(await hangUp(server)).toMatch(
    /"audit":true,"action":"reload","keys":1,"added":\["second"\],"removed":\["first"\]/,
  )
  expect(await status(server.url, first)).toBe(401)
  expect(await status(server.url, second)).toBe(200)

  for (const faulty of [`read:${first}\nhush`, '', '# none\n']) {
    writeFileSync(file, faulty)
    const said = await hangUp(server)
    expect(said).toContain('SIGHUP: nothing was reloaded; what was in force stays.')
    expect(said).toMatch(/"level":50,.*"audit":true,"action":"reload".*API_KEYS_FILE/)
    expect(await status(server.url, second)).toBe(200)
    expect(await status(server.url)).toBe(401)
  }
  writeFileSync(file, `read:${first}\nread:${second} expires=2000-01-01 name=over\n`)
  expect(await hangUp(server)).toContain('have expired are refused: over')
  expect(await status(server.url, second)).toBe(401)
  expect(await status(server.url, first)).toBe(200)
  for (const secret of [first, second, 'hush']) expect(server.output()).not.toContain(secret)
})

test('SIGHUP puts another certificate in force; a pair that does not fit leaves the old one', async () => {
  const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))
  const [TLS_CERT, TLS_KEY] = [join(temporaryFolder(), 'cert'), join(temporaryFolder(), 'key')]
  writeFileSync(TLS_CERT, pem('first.cert'))
  writeFileSync(TLS_KEY, pem('first.key'))
  // localhost may be two addresses, each with a listener of its own.
  const server = await start({ TLS_CERT, TLS_KEY, HOST: 'localhost' })
  const served = (host: string) =>
    new Promise<string>((resolve, reject) => {
      const options = { host, port: Number(new URL(server.url).port), rejectUnauthorized: false }
      const socket = connect(options, () => {
        resolve(/(first|second)$/.exec(String(socket.getPeerCertificate().subject.CN))?.[1] ?? '')
        socket.destroy()
      })
      socket.once('error', reject)
    })
  const { address } = await lookup('localhost')
  for (const host of ['127.0.0.1', address]) expect(await served(host)).toBe('first')
  writeFileSync(TLS_CERT, pem('second.cert'))
  expect(await hangUp(server)).toContain('TLS_KEY is not the key of TLS_CERT')
  for (const host of ['127.0.0.1', address]) expect(await served(host)).toBe('first')
  writeFileSync(TLS_KEY, pem('second.key'))
  expect(await hangUp(server)).toContain('the certificate are in force')
  for (const host of ['127.0.0.1', address]) expect(await served(host)).toBe('second')
})

test('the tools reach a service whose certificate they are told to trust, and say so where they are not', async () => {
  const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))
  const server = await start({ TLS_CERT: pem('first.cert'), TLS_KEY: pem('first.key') })
  const set = temporaryFolder()
  writeFileSync(join(set, 'corpus.jsonl'), '{"_id":"d","text":"river"}\n')
  writeFileSync(join(set, 'queries.jsonl'), '{"_id":"q","text":"river"}\n')
  writeFileSync(join(set, 'qrels.tsv'), 'q\td\t1\n')
  const evaluate = async (environment: Record<string, string>) => {
    const evaluation = launch(environment, ['evaluate', set, '--url', server.url])
    return { ...(await evaluation.exit), output: evaluation.output() }
  }
  expect(await evaluate({})).toMatchObject({
    code: 1,
    output: expect.stringMatching(/is not trusted \(\w+\).*NODE_EXTRA_CA_CERTS/),
  })
  expect(await evaluate({ NODE_EXTRA_CA_CERTS: pem('first.cert') })).toMatchObject({ code: 0 })
})

test('a closed output does not end the service', async () => {
  const server = await start({ LOG_LEVEL: 'debug' })
  server.child.stdout?.destroy()
  server.child.stderr?.destroy()
  for (let i = 0; i < 3; i++) {
    server.child.kill('SIGHUP')
    expect(await status(server.url)).toBe(200)
  }
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})
