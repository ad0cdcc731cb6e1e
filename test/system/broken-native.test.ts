import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { tinyModel } from '../fixtures/tiny-model.ts'
import { launch, temporaryFolder } from './built-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The build, with every binary of one package replaced by bytes that no system loads. */
function brokenBuild(name: string): string {
  const folder = temporaryFolder()
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry !== name) symlinkSync(join(root, 'node_modules', entry), join(modules, entry))
  }
  const from = join(root, 'node_modules', name)
  const isBinary = (path: string) => /\.(node|so|dll|dylib)\b/.test(path)
  const filter = (path: string) => !isBinary(path) && !/^(deps|src)\b/.test(relative(from, path))
  cpSync(from, join(modules, name), { recursive: true, filter })
  for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter(isBinary)) {
    const broken = join(modules, name, file)
    mkdirSync(dirname(broken), { recursive: true })
    writeFileSync(broken, 'built for something else')
  }
  return join(folder, 'dist/main.js')
}

test.each([
  ['better-sqlite3', 'better_sqlite3.node'],
  ['hnswlib-node', 'addon.node'],
  ['onnxruntime-node', 'onnxruntime_binding.node'],
  ['tokenizers', 'tokenizers'],
])(
  'a %s that does not load ends the start with its cause, on the last line and in the log',
  async (name, file) => {
    const environment = { MODEL: await tinyModel(), DATA_DIR: temporaryFolder() }
    const server = launch(environment, [], undefined, brokenBuild(name))
    expect(await server.exit).toEqual({ code: 1, signal: null })
    const lines = server.output().trimEnd().split('\n')
    const last = lines.at(-1)!
    expect(last).toMatch(/^Cannot start: .+\(.*Error.*\)$/)
    expect(last).toContain(file)
    const logged = lines.filter((line) => line.startsWith('{') && line.includes('"cause":"'))
    expect(logged).toHaveLength(1)
    expect(JSON.parse(logged[0]!)).toMatchObject({
      level: 60,
      code: 'INTERNAL',
      cause: expect.stringContaining(file),
    })
  },
)
