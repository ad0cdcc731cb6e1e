import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { MAY_IMPORT } from './may-import.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>
}

interface Source {
  /** Path from the repository root. */
  file: string
  text: string
  lines: number
  /** Paths from the root, or packages. */
  imports: string[]
}

/** Static and dynamic imports, and files that a worker thread is started from. */
const IMPORT =
  /(?:^|\s)(?:from|import)\s*\(?\s*'([^'\s]+)'|[\s(]import\('([^'\s]+)'\)|new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g

function sources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const file = relative(root, join(entry.parentPath, entry.name))
      const text = readFileSync(join(root, file), 'utf8')
      const imports = [...text.matchAll(IMPORT)].map(([, named, dynamic, url]) => {
        const name = (named ?? dynamic ?? url)!
        return name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name
      })
      return { file, text, lines: text.split('\n').length - 1, imports }
    })
}

const src = sources('src')
const importsOf = new Map(src.map(({ file, imports }) => [file, imports]))

/** Files under `from` that import something under `what`, unless they are `except`. */
function importers(from: string, what: string, except: string[] = []): string[] {
  return src
    .filter(({ file }) => file.startsWith(from) && !except.some((allowed) => file.startsWith(allowed)))
    .filter(({ imports }) => imports.some((name) => name === what || name.startsWith(`${what}/`)))
    .map(({ file }) => file)
}

/** `src/index/embedded/x.ts` -> `index`, `src/app.ts` -> `app`. */
function roomOf(file: string): string {
  return file.split('/')[1]!.replace(/\.ts$/, '')
}

test('the rules see the code', () => {
  expect(src.length).toBeGreaterThan(150)
  expect(importers('src/', 'fastify').length).toBeGreaterThan(3)
  expect(importsOf.get('src/index/embedded/embedded-engine.ts')).toContain('src/index/embedded/worker.ts')
})

test('everything in src/ is reachable from main.ts', () => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const next of importsOf.get(file) ?? []) if (importsOf.has(next)) visit(next)
  }
  visit('src/main.ts')
  expect(src.map(({ file }) => file).filter((file) => !reached.has(file))).toEqual([])
})

test('src/ imports what is installed with the package, and nothing is installed in vain', () => {
  const packages = src.flatMap(({ imports }) => imports.filter((name) => !name.startsWith('src/')))
  const used = new Set(
    packages
      .filter((name) => !name.startsWith('node:') && !name.includes('package.json'))
      .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')),
  )
  expect([...used].sort()).toEqual(Object.keys(dependencies).sort())
})

test('dependencies point one way, from main to the parts', () => {
  const crossings = src.flatMap(({ file, imports }) => {
    const room = roomOf(file)
    const allowed = new Set([room, 'errors', 'cause', ...(MAY_IMPORT[room] ?? [])])
    return imports
      .filter((name) => name.startsWith('src/') && !allowed.has(roomOf(name)))
      .map((name) => `${file} -> ${name}`)
  })
  expect(crossings).toEqual([])
})

describe('an implementation is known to few', () => {
  test('http, retrieval and telemetry know interfaces', () => {
    const implementations = [
      'src/encoder/onnx',
      'src/reranker/onnx',
      'src/index/embedded',
      'src/inference',
      'src/tools',
    ]
    const guilty = ['src/http/', 'src/jobs/', 'src/retrieval/', 'src/telemetry/'].flatMap((room) =>
      implementations.flatMap((implementation) => importers(room, implementation)),
    )
    expect(guilty).toEqual([])
  })

  test('a new engine is one folder and one line in app/', () => {
    const within = ['src/index/embedded/']
    expect(importers('src/', 'src/index/embedded', within)).toEqual([
      'src/app/open-parts.ts',
      'src/config/settings.ts',
      ...importers('src/tools/', 'src/index/embedded'),
    ])
  })

  test('config reads tables of limits, nothing else of the parts', () => {
    const parts = (importsOf.get('src/config/settings.ts') ?? []).filter((name) => name.startsWith('src/'))
    expect(parts.filter((name) => !/\/(setting|limits)\.ts$/.test(name))).toEqual([])
  })

  test('the hub client downloads and knows nothing of what is made of it', () => {
    for (const room of ['encoder', 'model', 'inference', 'index', 'retrieval', 'tools/export']) {
      expect(importers('src/tools/pull/hub/', `src/${room}`)).toEqual([])
    }
  })
})

test.each([
  'onnxruntime-node',
  'hnswlib-node',
  'better-sqlite3',
  'tokenizers',
  'prom-client',
  '@huggingface/hub',
])('%s is imported by exactly one file', (name) => expect(importers('src/', name)).toHaveLength(1))

test('protobufjs writes ONNX and reads SentencePiece, one file each', () => {
  expect(importers('src/', 'protobufjs')).toEqual([
    'src/tools/export/onnx/schema.ts',
    'src/tools/export/tokenizer/sentencepiece-model.ts',
  ])
})

test('fastify stays in http/', () => {
  expect(importers('src/', 'fastify', ['src/http/'])).toEqual([])
})

test('config/read.ts is the only reader of the environment', () => {
  // no-telemetry.ts sets a variable that a native library reads.
  const allowed = ['src/config/read.ts', 'src/inference/no-telemetry.ts']
  const users = src.filter(({ text }) => /process\.env/.test(text)).map(({ file }) => file)
  expect(users.filter((file) => !allowed.includes(file))).toEqual([])
})

test('there is no import cycle', () => {
  const done = new Set<string>()
  const visit = (file: string, trail: string[]): void => {
    if (trail.includes(file))
      throw new Error(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`)
    if (done.has(file)) return
    for (const next of importsOf.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of importsOf.keys()) visit(file, [])
  expect(done.size).toBeGreaterThanOrEqual(src.length)
})

test('files are small, rooms are not crowded, and no name is a drawer', () => {
  const product = [...src, ...sources('scripts')]
  const all = [...product, ...sources('test')]
  const sizes = product.map(({ lines }) => lines).sort((a, b) => a - b)
  expect(all.filter(({ lines }) => lines > 250).map(({ file }) => file)).toEqual([])
  expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(80)
  expect(sizes[Math.floor(sizes.length * 0.9)]).toBeLessThanOrEqual(200)
  const filesIn = new Map<string, number>()
  for (const { file } of src) filesIn.set(dirname(file), (filesIn.get(dirname(file)) ?? 0) + 1)
  const crowded = [...filesIn].filter(([, files]) => files > 16).map(([room]) => room)
  expect(crowded).toEqual([])
  const drawer = /(^|\/)(utils?|helpers?|common|misc|types|shared|lib)(\/|\.ts$)/
  expect(all.filter(({ file }) => drawer.test(file)).map(({ file }) => file)).toEqual([])
})

test('the code has no escape from its types', () => {
  const escapes = /\bas any\b|: any\b|<any>|@ts-ignore|@ts-nocheck/
  expect(src.filter(({ text }) => escapes.test(text)).map(({ file }) => file)).toEqual([])
})
