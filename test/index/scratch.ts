import { copyFile, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DocumentIndex, SearchOptions, SearchResult } from '../../src/index/document-index.ts'
import { type EmbeddedEngineOptions, startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import {
  type CollectionIdentity,
  DEFAULT_COLLECTION,
  type IndexNotice,
} from '../../src/index/index-engine.ts'

export const DIMENSIONS = 16
export const IDENTITY: CollectionIdentity = { dimensions: DIMENSIONS, fingerprint: 'model-a' }

/** The default collection of an engine of its own, which is closed with it. */
export interface Opened extends DocumentIndex {
  notices: IndexNotice[]
}

/** A new folder, removed after the test. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'llara-index-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Opens the default collection in a folder, collecting its notices; closed after the test. */
export async function openIn(
  dataDir: string,
  limits: EmbeddedEngineOptions['limits'] = {},
  identity = IDENTITY,
): Promise<Opened> {
  const notices: IndexNotice[] = []
  const engine = await startEmbeddedEngine({ dataDir, limits, onNotice: (notice) => notices.push(notice) })
  onTestFinished(() => engine.close())
  const index = await engine.open(DEFAULT_COLLECTION, identity).catch(async (error) => {
    await engine.close()
    throw error
  })
  return {
    dimensions: index.dimensions,
    capabilities: index.capabilities,
    get settings() {
      return index.settings
    },
    excerpts: (wishes, options) => index.excerpts(wishes, options),
    configure: (change) => index.configure(change),
    upsert: (documents, options) => index.upsert(documents, options),
    get: (ids, options) => index.get(ids, options),
    passages: (ids, options) => index.passages(ids, options),
    remove: (target, options) => index.remove(target, options),
    patch: (target, patch, options) => index.patch(target, patch, options),
    search: (probes, k, options) => index.search(probes, k, options),
    highlight: (terms, texts, options) => index.highlight(terms, texts, options),
    scan: (options) => index.scan(options),
    count: (options) => index.count(options),
    facets: (paths, options) => index.facets(paths, options),
    stats: () => index.stats(),
    onDeath: (listener) => index.onDeath(listener),
    close: () => engine.close(),
    notices,
  }
}

/** The hits and the path for each vector. */
export function searchVectors(
  index: DocumentIndex,
  vectors: readonly Float32Array[],
  k: number,
  options: SearchOptions = {},
): Promise<SearchResult[]> {
  return index.search(
    vectors.map((vector) => ({ vector })),
    k,
    options,
  )
}

/** How many documents there are. */
export async function countOf(index: DocumentIndex): Promise<number> {
  return (await index.stats()).documents
}

/**
 * What a process that is killed now would leave behind: a copy of the files as they are, without a close.
 *
 * @returns the folder to open next
 */
export async function crash(index: DocumentIndex, dataDir: string): Promise<string> {
  const folder = await scratchFolder()
  for (const name of await readdir(dataDir)) {
    await copyFile(join(dataDir, name), join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      // A graph file replaced while we looked: a killed process leaves one state or the other.
      if (error.code !== 'ENOENT') throw error
    })
  }
  await index.close()
  return folder
}

/** A copy of a folder, removed after the test. */
export async function copyOf(folder: string): Promise<string> {
  const copy = await scratchFolder()
  await cp(folder, copy, { recursive: true })
  return copy
}
