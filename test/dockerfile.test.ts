import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { buildContext, ignoreRules } from './dockerfile/build-context.ts'
import { checkDockerfile, RUNTIME_TARGETS } from './dockerfile/check-dockerfile.ts'
import { environment, healthcheckCommand, parseStages } from './dockerfile/stages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dockerfile = readFileSync(`${root}/Dockerfile`, 'utf8')
const context = buildContext(root)
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))

const pem = (name: string) => readFileSync(`${root}/test/fixtures/tls/first.${name}.pem`, 'utf8')
const certificate = { cert: pem('cert'), key: pem('key') }

/** Major and minor version of the Node that a stage starts from. */
function nodeOf(name: string): number[] {
  const { base } = parseStages(dockerfile).find((stage) => stage.name === name)!
  return /^node:(\d+)\.(\d+)/.exec(base)!.slice(1).map(Number)
}

describe('Dockerfile', () => {
  test('is sound', () => {
    expect(checkDockerfile(dockerfile, context)).toEqual([])
  })

  test('takes digests of every base image', () => {
    const digest = `@sha256:${'a'.repeat(64)}`
    const pinned = dockerfile
      .replaceAll(/^(ARG NODE\w*_DIGEST=)""$/gm, `$1"${digest}"`)
      .replace(/^(ARG CUDA_IMAGE=.*)$/m, `$1${digest}`)
    const names = parseStages(pinned).map(({ name }) => name)
    const bases = parseStages(pinned).filter(({ base }) => !names.includes(base))
    expect(bases).toHaveLength(4)
    for (const { base } of bases) expect(base).toMatch(/^[^@]+:\d+\.\d+\.\d+[^@]*@sha256:a{64}$/)
    expect(checkDockerfile(pinned, context)).toEqual([])
  })

  test('starts the file that the build emits', () => {
    const build = JSON.parse(readFileSync(`${root}/tsconfig.build.json`, 'utf8')).compilerOptions
    expect([build.rootDir, build.outDir]).toEqual(['src', 'dist'])
    expect(existsSync(`${root}/src/main.ts`)).toBe(true)
  })

  test('builds with a Node that package.json allows', () => {
    const [major, minor] = nodeOf('build')
    const [least, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(manifest.engines.node)!.slice(1).map(Number)
    expect(major! > least! || (major === least && minor! >= leastMinor!)).toBe(true)
  })

  test('compiles better-sqlite3 12 with headers that it does not crash with', () => {
    const [major, minor] = nodeOf('headers')
    expect(manifest.dependencies['better-sqlite3']).toMatch(/^12\./)
    expect(major! < 24 || (major === 24 && minor! < 19)).toBe(true)
  })

  test('keeps what the program imports when it leaves out what only building needs', () => {
    const imported = readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [
        ...readFileSync(`${root}/src/${file}`, 'utf8').matchAll(
          /\b(?:from |import\()'((?:@[^/']+\/)?[^/'.:\s]+)[/']/g,
        ),
      ])
      .map(([, name]) => name)
    expect(imported).toContain('fastify')
    // tsx starts workers from sources, which the image does not have.
    expect(Object.keys(manifest.dependencies).concat('tsx')).toEqual(expect.arrayContaining(imported))
  })

  test('fetches the CUDA provider by a script that the package has', () => {
    const run = parseStages(dockerfile)
      .find(({ name }) => name === 'build-cuda')!
      .steps.find(({ keyword }) => keyword === 'RUN')!
    const script = run.words.find((word) => word.startsWith('node_modules/'))!
    expect(existsSync(`${root}/${script}`)).toBe(true)
  })

  test('keeps secrets, data and checkpoints out of the context', () => {
    const left = ['.env', 'data/store.db', 'node_modules/fastify/package.json', 'api-keys.txt', '.git/config']
    for (const path of [...left, 'models/any/checkpoint/model.safetensors', 'test/dockerfile.test.ts']) {
      expect([path, context.ignores(path)]).toEqual([path, true])
    }
    for (const path of ['src/main.ts', 'models/any/model.onnx', '.npmrc']) {
      expect([path, context.ignores(path)]).toEqual([path, false])
    }
  })
})

describe('the check rejects', () => {
  const edits: [string, string | RegExp, string, string][] = [
    ['root at run time', 'USER 10001:10001', 'USER root', 'the last USER'],
    ['a user by name', 'USER 10001:10001', 'USER llara', 'the last USER'],
    ['a return to root', 'STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGTERM\nUSER 0:0', 'the last USER'],
    ['a data folder of another user', '--owner=10001', '--owner=0', 'is not made for that user'],
    [
      'no health check',
      'HEALTHCHECK --interval=15s --timeout=5s --start-period=600s --retries=3 \\\n  CMD',
      'CMD',
      'no HEALTHCHECK',
    ],
    ['a health check of nothing', "'/readyz'", "'/'", 'no HEALTHCHECK'],
    ['another port', 'EXPOSE 8080', 'EXPOSE 80', 'port 8080 is not exposed'],
    ['no volume', 'VOLUME /data', '', 'no volume'],
    ['latest', /node:\S+-bookworm\S* AS/g, 'node:latest AS', 'not pinned'],
    ['no tag', /node:\S+-slim/g, 'node', 'not pinned'],
    ['a floating tag', 'NODE_VERSION=24.21.0', 'NODE_VERSION=24', 'not pinned'],
    ['two Nodes', /node:\S+-slim/g, 'node:24.1.0-bookworm-slim', 'Node differs'],
    ['headers of another Node', 'NODE_HEADERS_VERSION=24', 'NODE_HEADERS_VERSION=22', 'another Node'],
    ['headers that are not there', 'AS headers', 'AS other', 'no earlier stage'],
    [
      'a piped download',
      'RUN npm run build',
      'RUN curl -fsSL https://example.org/x | bash -s',
      'into a shell',
    ],
    ['npm install', 'npm ci', 'npm install', 'npm ci'],
    ['a path that is not there', 'COPY src ./src', 'COPY source ./src', 'not in the repository'],
    ['a path that is ignored', 'COPY src ./src', 'COPY src test ./src/', '.dockerignore leaves out test'],
    ['a stage that does not exist', '--from=build /app/dist', '--from=builder /app/dist', 'no earlier stage'],
    ['a path its stage lacks', '--from=build /app/dist', '--from=build /app/out', 'has no /app/out'],
    ['a build that is not run', 'RUN npm run build', 'RUN true', 'has no /app/dist'],
    ['an image without models', /COPY models \.\/models\n/g, '', 'lacks models'],
    ['another entry', '"dist/main.js"', '"main.js"', 'ENTRYPOINT'],
    [
      'an entry in shell form',
      'ENTRYPOINT ["node", "dist/main.js"]',
      'ENTRYPOINT node dist/main.js',
      'ENTRYPOINT',
    ],
    ['cuda as the default', 'AS cpu', 'AS main', 'the last stage is not cpu'],
    ['a key in the image', 'DEVICE=cpu', 'DEVICE=cpu API_KEYS=write:secret', 'a key or an open door'],
    ['a misspelt setting', 'DATA_DIR=/data', 'DATADIR=/data', 'DATADIR is no setting'],
    ['an unknown instruction', 'WORKDIR /app', 'WORKDIRS /app', 'Unknown instruction'],
    ['ADD', 'COPY models', 'ADD models', 'ADD is not used'],
  ]

  test.each(edits)('%s', (_, find, replacement, fault) => {
    const broken = dockerfile.replaceAll(find, replacement)
    expect(broken).not.toBe(dockerfile)
    expect(checkDockerfile(broken, context).join('\n')).toContain(fault)
  })

  test('a .dockerignore that leaves out what is copied', () => {
    const rules = ignoreRules('src\n')
    const faults = checkDockerfile(dockerfile, { ...context, ignores: (path) => rules.ignores(path) })
    expect(faults.join('\n')).toContain('.dockerignore leaves out src')
  })

  test('an empty file', () => {
    expect(checkDockerfile('', context)).not.toEqual([])
  })
})

describe.each(RUNTIME_TARGETS)('the health check of %s', (target) => {
  const [, ...words] = healthcheckCommand(parseStages(dockerfile).find(({ name }) => name === target)!)!
  let server: Server | undefined
  afterEach(() => server?.close())

  /** Runs the command as the container would, against a service that answers /readyz with `status`. */
  async function exitCode(status: number, tls: boolean): Promise<number> {
    const answer: RequestListener = (request, response) => {
      response.statusCode = request.url === '/readyz' ? status : 404
      response.end()
    }
    server = tls ? createTlsServer(certificate, answer) : createServer(answer)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    if (status === 0) await new Promise((resolve) => server!.close(resolve))
    const env = { PORT: String(port), ...(tls && { TLS_CERT: '/run/secrets/tls-cert' }) }
    const child = spawn(process.execPath, words, { env, stdio: 'ignore' })
    const [code] = await once(child, 'exit')
    return code
  }

  test.each([
    [200, 0],
    [503, 1],
    [0, 1],
  ])('answer %i -> exit %i, with TLS and without', async (status, code) => {
    for (const tls of [false, true]) {
      expect(await exitCode(status, tls)).toBe(code)
      server?.close()
    }
  })
})

describe('docker-compose.yaml', () => {
  const { services, volumes } = parse(readFileSync(`${root}/docker-compose.yaml`, 'utf8'), { merge: true })

  test.each([
    ['llara', 'cpu'],
    ['llara-cuda', 'cuda'],
  ])('%s runs target %s, locked down, on its volume', (name, target) => {
    const service = services[name]
    expect(service.build.target).toBe(target)
    expect(service.read_only).toBe(true)
    expect(service.cap_drop).toEqual(['ALL'])
    const [volume, path] = service.volumes[0].split(':')
    expect(Object.keys(volumes)).toContain(volume)
    const stage = parseStages(dockerfile).find((one) => one.name === target)!
    expect(path).toBe(environment(stage).get('DATA_DIR'))
    // An image that was built in OCI format has none.
    expect(service.healthcheck.test).toEqual(['CMD', ...healthcheckCommand(stage)!])
    expect(service.environment.API_KEYS_FILE).toBe(`/run/secrets/${service.secrets[0]}`)
  })
})
