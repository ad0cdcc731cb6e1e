import { ServiceError } from '../errors.ts'
import type { DocumentIndex } from '../index/document-index.ts'
import type { CollectionLimits } from './limits.ts'

const NUMBER_BYTES = 4
/** How often the memory of vectors is looked at: it grows by what is stored, without a word. */
const TRIM_MS = 5000

export interface OpenCollectionsOptions {
  limits: Pick<CollectionLimits, 'collectionsOpenMax' | 'collectionVectorBytesMax'>
  open(name: string): Promise<DocumentIndex>
  /** Given what closing a collection failed with; it counts as closed. */
  onFault(name: string, error: unknown): void
}

interface Entry {
  name: string
  opening: Promise<DocumentIndex>
  leases: number
  /** Memory that its vectors take, as known. */
  bytes: number
  closing?: Promise<void>
}

/** An open collection that stays open until `release`, which may be called twice. */
export interface IndexLease {
  index: DocumentIndex
  release(): void
}

/**
 * Opens collections when they are asked for, each once, within a bound on their number and their vectors. What is
 * leased stays open; of the others, the one longest without a lease is closed first.
 */
export class OpenCollections {
  readonly #options: OpenCollectionsOptions
  /** In the order of their last leases. */
  readonly #entries = new Map<string, Entry>()
  /** Called once, at the next release or close. */
  #waiting: (() => void)[] = []
  /** Leases that wait for another collection to be closed. */
  #wanted = 0
  #closed = false
  readonly #timer: NodeJS.Timeout

  constructor(options: OpenCollectionsOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#trim(), TRIM_MS)
    this.#timer.unref()
  }

  /** Open ones, and those on their way there or back. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Waits for its turn where all that may be open are in use.
   * @throws ServiceError ABORTED, UNAVAILABLE (closed), and what opening it throws
   */
  async lease(name: string, signal?: AbortSignal): Promise<IndexLease> {
    for (;;) {
      if (this.#closed) throw new ServiceError('UNAVAILABLE', 'The index is closed.')
      const known = this.#entries.get(name)
      if (known && !known.closing) return this.#take(known)
      if (known) await this.#change(signal)
      else if (this.#entries.size < this.#options.limits.collectionsOpenMax)
        return this.#take(this.#open(name))
      else await this.#room(signal)
    }
  }

  /** Closes a collection when nobody has it any more. The caller sees to it that nobody takes it again. */
  async vacate(name: string, signal?: AbortSignal): Promise<void> {
    for (let entry = this.#entries.get(name); entry; entry = this.#entries.get(name)) {
      if (entry.closing) await entry.closing
      else if (entry.leases === 0) await this.#close(entry)
      else await this.#change(signal)
    }
  }

  /** Closes all, whoever has them. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#changed()
    await Promise.all([...this.#entries.values()].map((entry) => this.#close(entry)))
  }

  #open(name: string): Entry {
    const entry: Entry = { name, opening: this.#options.open(name), leases: 0, bytes: 0 }
    this.#entries.set(name, entry)
    entry.opening.then(
      () => this.#trim(),
      () => this.#gone(entry),
    )
    return entry
  }

  async #take(entry: Entry): Promise<IndexLease> {
    entry.leases++
    this.#entries.delete(entry.name)
    this.#entries.set(entry.name, entry)
    let held = true
    const release = () => {
      if (!held) return
      held = false
      entry.leases--
      this.#changed()
    }
    try {
      return { index: await entry.opening, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Waits for something to change, having begun to close what is idle for those who wait. */
  async #room(signal: AbortSignal | undefined): Promise<void> {
    this.#wanted++
    try {
      const entries = [...this.#entries.values()]
      const closing = entries.filter((entry) => entry.closing).length
      const idle = entries.find((entry) => isIdle(entry))
      if (idle && closing < this.#wanted) void this.#close(idle)
      await this.#change(signal)
    } finally {
      this.#wanted--
    }
  }

  #close(entry: Entry): Promise<void> {
    entry.closing ??= entry.opening
      .then((index) => index.close())
      .catch((error) => this.#options.onFault(entry.name, error))
      .finally(() => this.#gone(entry))
    return entry.closing
  }

  #gone(entry: Entry): void {
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name)
    this.#changed()
  }

  /** Closes idle ones while vectors take more than they may. */
  async #trim(): Promise<void> {
    const open = [...this.#entries.values()].filter((entry) => !entry.closing)
    await Promise.all(open.map(weigh))
    let bytes = open.reduce((sum, entry) => sum + entry.bytes, 0)
    for (const entry of open) {
      if (bytes <= this.#options.limits.collectionVectorBytesMax) return
      if (!isIdle(entry)) continue
      bytes -= entry.bytes
      void this.#close(entry)
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () =>
        reject(new ServiceError('ABORTED', 'The request was abandoned, or its time was over.'))
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.push(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
    })
  }

  #changed(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }
}

function isIdle({ leases, closing }: Entry): boolean {
  return leases === 0 && !closing
}

async function weigh(entry: Entry): Promise<void> {
  try {
    const index = await entry.opening
    entry.bytes = (await index.stats()).passages * index.dimensions * NUMBER_BYTES
  } catch {
    // It could not be opened, or was closed meanwhile.
  }
}
