import { randomBytes } from 'node:crypto'
import { ServiceError } from '../../../errors.ts'
import { type CooperativeScheduler, Mutex } from '../cooperative-scheduler.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import { readFact, writeFact } from '../database/schema.ts'
import type { EngineNotice } from '../notice.ts'
import { discardGraph, type GraphFileOptions, loadGraph, publishGraph, writeGraph } from './graph-file.ts'
import { HnswGraph } from './hnsw-graph.ts'
import type { LiveGraph } from './live-graph.ts'

export const KNOWN_GRAPHS = 'graph_ids'

/** Loads and saves the graph, and remembers in the database which saved graphs are its own. */
export class GraphSnapshots {
  readonly #file: GraphFileOptions
  readonly #db: LiveConnection
  readonly #notice: (notice: EngineNotice) => void
  readonly #saves = new Mutex()
  #current: string | undefined
  /** Changes of the graph since it was last saved. */
  changes = 0

  constructor(file: GraphFileOptions, db: LiveConnection, notice: (notice: EngineNotice) => void) {
    this.#file = file
    this.#db = db
    this.#notice = notice
  }

  /** The saved graph; an empty one, and a notice, where it cannot be trusted. */
  async load(): Promise<HnswGraph> {
    const known = JSON.parse(readFact(this.#db.current, KNOWN_GRAPHS) ?? '[]') as string[]
    const loaded = await loadGraph(this.#file, known)
    if (loaded && 'graph' in loaded) {
      this.#current = loaded.graphId
      this.#notice({
        level: 'info',
        kind: 'graph-loaded',
        message: `loaded the HNSW graph: ${loaded.graph.elements} vectors`,
        facts: { elements: loaded.graph.elements },
      })
      return loaded.graph
    }
    if (loaded) {
      writeFact(this.#db.current, KNOWN_GRAPHS, '[]')
      await discardGraph(this.#file.folder)
      this.#notice({
        level: 'warn',
        kind: 'graph-rejected',
        message: `the saved HNSW graph cannot be used (${loaded.rejected}); building it again from the database`,
        facts: { reason: loaded.rejected },
      })
    }
    return HnswGraph.empty(this.#file.parameters)
  }

  /** Writes the graph out if it changed. @throws ServiceError STORE_UNUSABLE; the database is whole all the same */
  save(graph: LiveGraph, writes: Mutex, scheduler: CooperativeScheduler): Promise<void> {
    return this.#saves.run(async () => {
      if (this.changes === 0) return
      const written = await writes.run(async () => {
        if (graph.current.elements === 0) return undefined
        const graphId = randomBytes(8).toString('hex')
        const { elements } = graph.current
        const { changes } = this
        // Known before it is in place, so that a crash between the two leaves either graph acceptable.
        const known = this.#current === undefined ? [graphId] : [this.#current, graphId]
        writeFact(this.#db.current, KNOWN_GRAPHS, JSON.stringify(known))
        await writeGraph(this.#file, graph.current, graphId)
        return { graphId, elements, changes }
      })
      if (!written) return
      const { bytes } = await publishGraph(this.#file, written, scheduler.slice('upkeep')).catch((error) => {
        throw new ServiceError(
          'STORE_UNUSABLE',
          'The HNSW graph could not be saved. The documents are safe, but the next start takes longer. Check the disk.',
          {},
          error,
        )
      })
      this.#current = written.graphId
      this.changes -= written.changes
      this.#notice({
        level: 'info',
        kind: 'graph-saved',
        message: `saved the HNSW graph: ${written.elements} vectors, ${bytes} bytes`,
        facts: { elements: written.elements, bytes },
      })
    })
  }
}
