import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Source {
  /** Path from the repository root. */
  file: string
  lines: number
  imports: string[]
}

function sources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = relative(root, join(entry.parentPath, entry.name))
      const text = readFileSync(join(root, file), 'utf8')
      const specifiers = [...text.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
        (match) => match[1]!,
      )
      const imports = specifiers.map((name) =>
        name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name,
      )
      return { file, lines: text.split('\n').length - 1, imports }
    })
}

const src = sources('src')

/** Files under `from` that import something under `what`, unless they are `except`. */
function importers(from: string, what: string, except: string[] = []): string[] {
  return src
    .filter(({ file }) => file.startsWith(from) && !except.some((allowed) => file.startsWith(allowed)))
    .filter(({ imports }) => imports.some((name) => name === what || name.startsWith(`${what}/`)))
    .map(({ file }) => file)
}

test('the rules see the code', () => {
  expect(src.length).toBeGreaterThan(30)
  expect(importers('src/', 'fastify').length).toBeGreaterThan(3)
})

test.each([
  'onnxruntime-node',
  'hnswlib-node',
  'better-sqlite3',
  'tokenizers',
  'prom-client',
  'protobufjs',
  '@huggingface/hub',
])('%s is imported by exactly one file', (name) => expect(importers('src/', name)).toHaveLength(1))

test('fastify stays in http/ and app.ts', () => {
  expect(importers('src/', 'fastify', ['src/http/', 'src/app.ts'])).toEqual([])
})

test('http and retrieval know interfaces, never an implementation', () => {
  const implementations = ['src/encoder/onnx', 'src/index/embedded', 'src/inference', 'src/tools']
  const guilty = ['src/http/', 'src/retrieval/', 'src/telemetry/'].flatMap((room) =>
    implementations.flatMap((implementation) => importers(room, implementation)),
  )
  expect(guilty).toEqual([])
})

test('dependencies point one way: main -> app -> http -> retrieval -> interfaces', () => {
  expect(importers('src/retrieval/', 'src/http')).toEqual([])
  expect(importers('src/encoder/', 'src/http')).toEqual([])
  expect(importers('src/index/', 'src/http')).toEqual([])
  for (const lower of ['src/encoder/', 'src/index/']) expect(importers(lower, 'src/retrieval')).toEqual([])
  expect(importers('src/encoder/', 'src/index')).toEqual([])
  expect(importers('src/index/', 'src/encoder')).toEqual([])
  expect(importers('src/', 'src/app.ts', ['src/main.ts'])).toEqual([])
})

test('only scripts use model-export, model-hub and evaluation', () => {
  expect(importers('src/', 'src/model-export', ['src/model-export/'])).toEqual([])
  expect(importers('src/', 'src/model-hub', ['src/model-hub/'])).toEqual([])
  expect(importers('src/', 'src/evaluation', ['src/evaluation/'])).toEqual([])
})

test('model-hub downloads and knows nothing of what is made of it', () => {
  for (const room of ['encoder', 'model-export', 'retrieval', 'vector-store', 'http']) {
    expect(importers('src/model-hub/', `src/${room}`)).toEqual([])
  }
})

test('config/read.ts is the only reader of the environment', () => {
  // no-telemetry.ts sets a variable that a native library reads.
  const allowed = ['src/config/read.ts', 'src/inference/no-telemetry.ts']
  const users = src.filter(({ file }) => /process\.env/.test(readFileSync(join(root, file), 'utf8')))
  expect(users.map(({ file }) => file).filter((file) => !allowed.includes(file))).toEqual([])
})

test('there is no import cycle', () => {
  const graph = new Map(src.map(({ file, imports }) => [file, imports]))
  const done = new Set<string>()
  const visit = (file: string, trail: string[]): void => {
    if (trail.includes(file))
      throw new Error(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`)
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  expect(done.size).toBeGreaterThanOrEqual(src.length)
})

test('files are small and no name is a drawer', () => {
  const all = [...src, ...sources('scripts')]
  const sizes = all.map(({ lines }) => lines).sort((a, b) => a - b)
  expect(all.filter(({ lines }) => lines > 300).map(({ file }) => file)).toEqual([])
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(80)
  expect(sizes[Math.floor(sizes.length * 0.9)]).toBeLessThanOrEqual(200)
  const drawer = /(^|\/)(utils?|helpers?|common|misc|types|shared|lib)(\/|\.ts$)/
  expect(all.filter(({ file }) => drawer.test(file)).map(({ file }) => file)).toEqual([])
})
