import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll } from 'vitest'
import { startEmbeddedEngine } from '../../src/index/embedded/embedded-engine.ts'
import { DEFAULT_COLLECTION } from '../../src/index/index-engine.ts'
import { clusteredDocuments, Random } from './random.ts'
import { copyOf, DIMENSIONS, IDENTITY, searchVectors } from './scratch.ts'

const random = new Random(7)
export const documents = clusteredDocuments(random, 1500, DIMENSIONS)
export const queries = Array.from({ length: 5 }, () => random.unitVector(DIMENSIONS))

/** A folder with a saved graph and a database, to be copied and damaged, and what exact searches of it give. */
export function wholeFolder(): { copy(): Promise<string>; expected(): unknown } {
  let whole: string
  let expected: unknown
  beforeAll(async () => {
    whole = await mkdtemp(join(tmpdir(), 'llara-whole-'))
    const engine = await startEmbeddedEngine({ dataDir: whole })
    const index = await engine.open(DEFAULT_COLLECTION, IDENTITY)
    await index.upsert(documents.slice(0, 750))
    await index.upsert(documents.slice(750))
    expected = await searchVectors(index, queries, 10, { tuning: { exact: true } })
    await engine.close()
    return () => rm(whole, { recursive: true, force: true })
  })
  return { copy: () => copyOf(whole), expected: () => expected }
}

export async function graphFile(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.hnsw'))
  return join(folder, name ?? 'no graph file')
}

/** Turns four bits of a byte over. */
export async function flip(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, position)
  byte[0] = byte[0]! ^ 0x55
  await handle.write(byte, 0, 1, position)
  await handle.close()
}
