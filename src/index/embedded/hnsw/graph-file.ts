import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readFileSync, readSync } from 'node:fs'
import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TimeSlice } from '../cooperative-scheduler.ts'
import { HnswGraph, type HnswParameters } from './hnsw-graph.ts'

export const GRAPH_MANIFEST = 'graph.json'
const FORMAT = 1
const CHUNK_BYTES = 1024 * 1024
/** hnswlib's own header: offsets, counts and parameters, without padding. */
const HEADER_BYTES = 96

/** What stands beside a graph file, so that a foreign, old or damaged one is never loaded. */
interface GraphManifest extends HnswParameters {
  format: number
  /** Also kept in the database: a graph from another database, or another time of this one, is not known there. */
  graphId: string
  fingerprint: string
  elements: number
  bytes: number
  sha256: string
}

export interface GraphFileOptions {
  folder: string
  fingerprint: string
  parameters: HnswParameters
}

export function graphFileName(graphId: string): string {
  return `graph-${graphId}.hnsw`
}

/**
 * Reads the graph last saved.
 *
 * @param known ids of graphs that the database remembers
 * @returns the graph, `undefined` when none was ever saved, or why the one there cannot be trusted
 */
export async function loadGraph(
  options: GraphFileOptions,
  known: readonly string[],
): Promise<{ graph: HnswGraph; graphId: string } | undefined | { rejected: string }> {
  let text: string
  try {
    text = await readFile(join(options.folder, GRAPH_MANIFEST), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return { rejected: String(error) }
    return known.length > 0 ? { rejected: `${GRAPH_MANIFEST} is missing` } : undefined
  }
  try {
    const manifest = JSON.parse(text) as GraphManifest
    const { parameters } = options
    if (manifest.format !== FORMAT) return { rejected: `its format is ${manifest.format}, not ${FORMAT}` }
    if (!known.includes(manifest.graphId)) return { rejected: 'the database does not know it' }
    if (manifest.fingerprint !== options.fingerprint) return { rejected: 'it belongs to another model' }
    for (const key of ['dimensions', 'm', 'efConstruction'] as const) {
      if (manifest[key] !== parameters[key]) return { rejected: `its ${key} is ${manifest[key]}` }
    }
    const file = join(options.folder, graphFileName(manifest.graphId))
    const { bytes, sha256 } = digestSync(file)
    if (bytes !== manifest.bytes) return { rejected: `it has ${bytes} bytes instead of ${manifest.bytes}` }
    if (sha256 !== manifest.sha256) return { rejected: 'its checksum is wrong' }
    const graph = HnswGraph.read(parameters, file)
    if (graph.elements !== manifest.elements) return { rejected: `it has ${graph.elements} vectors` }
    return { graph, graphId: manifest.graphId }
  } catch (error) {
    return { rejected: error instanceof Error ? error.message : String(error) }
  }
}

/** Why the saved graph is not as it was written; undefined where it is, or there is none. */
export function damageOfGraph(folder: string): string | undefined {
  if (!hasGraph(folder)) return undefined
  try {
    const manifest = JSON.parse(readFileSync(join(folder, GRAPH_MANIFEST), 'utf8')) as GraphManifest
    const { bytes, sha256 } = digestSync(join(folder, graphFileName(manifest.graphId)))
    return bytes === manifest.bytes && sha256 === manifest.sha256 ? undefined : 'its checksum is wrong'
  } catch (error) {
    return error instanceof SyntaxError ? `${GRAPH_MANIFEST} is damaged` : 'it cannot be read'
  }
}

/** Writes the graph under its id; nothing may be added to it meanwhile. It counts once `publishGraph` is done. */
export async function writeGraph(
  options: GraphFileOptions,
  graph: HnswGraph,
  graphId: string,
): Promise<void> {
  const path = join(options.folder, graphFileName(graphId))
  try {
    await graph.write(path)
  } catch (error) {
    // On a full disk, half a graph would take the last room.
    await rm(path, { force: true })
    throw error
  }
}

/**
 * Makes a written graph the one to load: checks it, waits until it is on the disk, then puts its manifest in place of
 * the old one in one step and removes what is no longer named. When that fails, the old graph stays the one.
 */
export async function publishGraph(
  options: GraphFileOptions,
  { graphId, elements }: { graphId: string; elements: number },
  slice: TimeSlice,
): Promise<{ bytes: number }> {
  const { folder, fingerprint, parameters } = options
  const path = join(folder, graphFileName(graphId))
  try {
    const digest = await settle(path, parameters, elements, slice)
    const manifest: GraphManifest = {
      format: FORMAT,
      graphId,
      fingerprint,
      ...parameters,
      elements,
      ...digest,
    }
    const temporary = join(folder, `${GRAPH_MANIFEST}.new`)
    await writeFile(temporary, `${JSON.stringify(manifest, null, 2)}\n`, { flush: true })
    await rename(temporary, join(folder, GRAPH_MANIFEST))
    syncFolder(folder)
    await removeGraphsExcept(folder, graphId)
    return digest
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** Waits until a written graph is on the disk, whole. */
async function settle(
  path: string,
  parameters: HnswParameters,
  elements: number,
  slice: TimeSlice,
): Promise<{ bytes: number; sha256: string }> {
  const file = await open(path, 'r+')
  try {
    const hash = createHash('sha256')
    const chunk = Buffer.alloc(CHUNK_BYTES)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, bytes)
      if (bytesRead === 0) break
      await slice.pause()
      hash.update(chunk.subarray(0, bytesRead))
      bytes += bytesRead
    }
    // The native writer does not say when the disk was full.
    if (bytes !== (await wholeLength(file, parameters, elements))) {
      throw new Error('the graph was not written whole; is the disk full?')
    }
    await file.sync()
    return { bytes, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}

/** Waits until the names in a folder are on the disk too. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Takes away a graph that cannot be trusted, manifest first. */
export async function discardGraph(folder: string): Promise<void> {
  await rm(join(folder, GRAPH_MANIFEST), { force: true })
  await removeGraphsExcept(folder, undefined)
}

/** Whether a graph was ever saved here. */
export function hasGraph(folder: string): boolean {
  return existsSync(join(folder, GRAPH_MANIFEST))
}

/** Graph files that no manifest names: left by a crash between two steps, or replaced. */
async function removeGraphsExcept(folder: string, graphId: string | undefined): Promise<void> {
  const keep = graphId === undefined ? undefined : graphFileName(graphId)
  for (const name of await readdir(folder)) {
    if (/^graph-[0-9a-f]+\.hnsw$/.test(name) && name !== keep) await rm(join(folder, name), { force: true })
  }
}

function digestSync(path: string): { bytes: number; sha256: string } {
  const fd = openSync(path, 'r')
  try {
    const hash = createHash('sha256')
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk)) hash.update(chunk.subarray(0, n))
    return { bytes: fstatSync(fd).size, sha256: hash.digest('hex') }
  } finally {
    closeSync(fd)
  }
}

/** Length the file must have by its own lists: links of level 0 and vectors, then each node's links above. */
async function wholeLength(
  file: Awaited<ReturnType<typeof open>>,
  { m, dimensions }: HnswParameters,
  elements: number,
): Promise<number> {
  const level0 = elements * (2 * m * 4 + 4 + dimensions * 4 + 8)
  const { size } = await file.stat()
  const begin = HEADER_BYTES + level0
  const tail = Buffer.alloc(Math.max(0, size - begin))
  await file.read(tail, 0, tail.length, begin)
  let position = 0
  for (let i = 0; i < elements; i++) {
    if (position + 4 > tail.length) return Number.NaN
    position += 4 + tail.readUInt32LE(position)
  }
  return begin + position
}
