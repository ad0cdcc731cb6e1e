/** A document as a client sends and reads it. */
export interface ClientDocument {
  id: string
  text: string
  title?: string
  metadata: Record<string, string | number>
}

interface Write {
  /** `undefined`: removed. */
  document: ClientDocument | undefined
  /** When it was sent. */
  begun: number
  /** When the service said that it is done; absent while it has not, or if it never did. */
  acknowledged?: number
}

/**
 * What a client knows about the documents it sent: for every id the writes in their order. Writes of one id must not
 * overlap. Times are whatever counts up: requests, or positions in a log.
 */
export class ClientModel {
  readonly #writes = new Map<string, Write[]>()

  get ids(): string[] {
    return [...this.#writes.keys()]
  }

  /** Notes a write that is about to be sent; the result is to be called with the time of its acknowledgement. */
  begin(
    writes: readonly { id: string; document: ClientDocument | undefined }[],
    now: number,
  ): (at: number) => void {
    const entries = writes.map(({ id, document }): Write => {
      const write: Write = { document, begun: now }
      const known = this.#writes.get(id)
      if (known) known.push(write)
      else this.#writes.set(id, [write])
      return write
    })
    return (at) => {
      for (const write of entries) write.acknowledged = at
    }
  }

  /** The last acknowledged state of a document. */
  current(id: string): ClientDocument | undefined {
    return this.#writes.get(id)?.findLast(({ acknowledged }) => acknowledged !== undefined)?.document
  }

  acknowledged(): number {
    return [...this.#writes.values()].flat().filter(({ acknowledged }) => acknowledged !== undefined).length
  }

  /** Forgets what might have been: the service's state is now `documents`, acknowledged. */
  settle(documents: ReadonlyMap<string, ClientDocument>): void {
    for (const id of this.#writes.keys())
      this.#writes.set(id, [{ document: documents.get(id), begun: 0, acknowledged: 0 }])
  }

  /** Documents that are as no client ever sent them. */
  invented(documents: ReadonlyMap<string, ClientDocument>): string[] {
    return [...documents]
      .filter(([id, document]) => {
        const sent = this.#writes.get(id) ?? []
        return !sent.some((write) => canonical(write.document) === canonical(document))
      })
      .map(([id]) => id)
  }

  /**
   * What is wrong with the documents of a service that ended at `time` and was started again: each must be as its last
   * acknowledged write left it, or as a later write that had been sent (until `end`, for what took from `time` to `end`).
   */
  faults(
    documents: ReadonlyMap<string, ClientDocument>,
    time = Number.POSITIVE_INFINITY,
    end = time,
  ): string[] {
    const faults: string[] = []
    for (const id of documents.keys()) if (!this.#writes.has(id)) faults.push(`${id} was never sent`)
    for (const [id, writes] of this.#writes) {
      const last = writes.findLastIndex(({ acknowledged = Number.NaN }) => acknowledged <= time)
      const possible = writes
        .slice(Math.max(last, 0))
        .filter(({ begun }) => begun <= end)
        .map(({ document }) => canonical(document))
      if (last < 0) possible.push(canonical(undefined))
      if (!possible.includes(canonical(documents.get(id)))) {
        const state = documents.has(id) ? 'is not as it was sent' : 'is missing'
        faults.push(`${id} ${state} (${last < 0 ? 'not acknowledged' : 'acknowledged'})`)
      }
    }
    return faults
  }
}

function canonical(document: ClientDocument | undefined): string {
  if (!document) return 'absent'
  const { id, text, title, metadata } = document
  return JSON.stringify([id, text, title ?? null, Object.entries(metadata).sort()])
}
