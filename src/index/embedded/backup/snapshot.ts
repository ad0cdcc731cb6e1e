import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Connection, connect, settleJournal } from '../database/connection.ts'
import { collectionFolder, DATABASE } from '../database/data-folder.ts'
import { readFact, writeFact } from '../database/schema.ts'
import { GRAPH_MANIFEST, graphFileName } from '../hnsw/graph-file.ts'
import { KNOWN_GRAPHS } from '../hnsw/graph-snapshots.ts'
import { checkAborted, copyOpen, type Digest } from './durable-files.ts'

/** Pages copied in one go: two megabytes. */
const PAGES = 256

/** A collection as it was when its snapshot was taken, whatever is written to it meanwhile. */
export interface Snapshot {
  collection: string
  /** Of the database. */
  bytes: number
  /** Copies the database to a new file, which needs no other file beside it. */
  copyDatabase(path: string, signal?: AbortSignal): Promise<void>
  /** The saved HNSW graph that the database knows of, where it is at hand; derived, so it may lag behind or be absent. */
  graph: { name: string; copy(path: string, signal?: AbortSignal): Promise<Digest> }[]
  close(): Promise<void>
}

/**
 * Begins to read a collection's database; the read transaction is the snapshot. Commits that follow are not seen, and do
 * not make a copy begin again, as they would without it. The log grows by them until `close`.
 */
export async function takeSnapshot(dataDir: string, collection: string): Promise<Snapshot> {
  const folder = collectionFolder(dataDir, collection)
  const db = connect(join(folder, DATABASE), { readonly: true })
  try {
    db.exec('BEGIN')
    const pages = Number(db.pragma('page_count', { simple: true }))
    const known = JSON.parse(readFact(db, KNOWN_GRAPHS) ?? '[]') as string[]
    const graph = await openGraph(folder, known)
    return {
      collection,
      bytes: pages * Number(db.pragma('page_size', { simple: true })),
      copyDatabase: async (path, signal) => {
        await copyDatabase(db, path, signal)
        if (graph.length === 0) forgetGraphs(path)
        settleJournal(path)
      },
      graph: graph.map(({ name, file }) => ({
        name,
        copy: (path: string, signal?: AbortSignal) => copyOpen(file, path, signal),
      })),
      async close() {
        db.close()
        for (const { file } of graph) await file.close()
      },
    }
  } catch (error) {
    db.close()
    throw error
  }
}

async function copyDatabase(db: Connection, path: string, signal: AbortSignal | undefined): Promise<void> {
  await db.backup(path, {
    progress: () => {
      checkAborted(signal)
      return PAGES
    },
  })
}

/** Without a graph beside it, none is missed when the restored database is opened. */
function forgetGraphs(path: string): void {
  const db = connect(path)
  writeFact(db, KNOWN_GRAPHS, '[]')
  db.close()
}

/**
 * Manifest and graph, opened: they stay readable when newer ones take their place. Only a graph that the snapshot knows
 * of: one saved later has labels that the restored database would give to other documents.
 */
async function openGraph(
  folder: string,
  known: readonly string[],
): Promise<{ name: string; file: FileHandle }[]> {
  const opened: { name: string; file: FileHandle }[] = []
  const begin = async (name: string) => {
    const file = await open(join(folder, name), 'r')
    opened.push({ name, file })
    return file
  }
  try {
    const manifest = await (await begin(GRAPH_MANIFEST)).readFile('utf8')
    const { graphId } = JSON.parse(manifest) as { graphId: string }
    if (!known.includes(graphId)) throw new Error('of another time')
    await begin(graphFileName(graphId))
    return opened
  } catch {
    // None was saved yet, or it is being replaced: it is built again from the database.
    for (const { file } of opened) await file.close()
    return []
  }
}
