import type { Random } from '../../index/random.ts'
import type { ClientModel } from './client-model.ts'
import { makeDocument, type Service } from './service.ts'

/** Clients that write until told to stop, each to ids of its own: batches, single documents, streams, deletions. */
export class Writers {
  readonly #service: Service
  readonly #model: ClientModel
  readonly #now: () => number
  /** Answers by status; `broken` for connections that ended without one. */
  readonly answers = new Map<number | 'broken', number>()
  #stopped = false
  #running: Promise<unknown> = Promise.resolve()

  /** @param now the time of begun and acknowledged writes, see ClientModel */
  constructor(service: Service, model: ClientModel, now: () => number) {
    this.#service = service
    this.#model = model
    this.#now = now
  }

  start(count: number, seed: Random): this {
    const writers = Array.from({ length: count }, (_, i) => this.#write(`w${i}`, seed))
    this.#running = Promise.all(writers)
    // What went wrong is thrown by stop().
    this.#running.catch(() => {})
    return this
  }

  /** Resolves when every write that was under way has its answer or has none. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #write(name: string, random: Random): Promise<void> {
    while (!this.#stopped) {
      const ids = Array.from({ length: 1 + random.below(12) }, () => `${name}-${random.below(120)}`)
      const unique = [...new Set(ids)]
      const way = random.next()
      if (way < 0.25) await this.#remove(unique)
      else if (way < 0.45) await this.#stream(unique, random)
      else await this.#put(unique, random)
    }
  }

  async #put(ids: string[], random: Random): Promise<void> {
    const documents = ids.map((id) => makeDocument(id, random.below(1000)))
    const acknowledge = this.#model.begin(
      documents.map((document) => ({ id: document.id, document })),
      this.#now(),
    )
    const status = await this.#send('POST', '/documents', { documents })
    if (status === 200) acknowledge(this.#now())
  }

  async #stream(ids: string[], random: Random): Promise<void> {
    const documents = ids.map((id) => makeDocument(id, random.below(1000)))
    const acknowledge = this.#model.begin(
      documents.map((document) => ({ id: document.id, document })),
      this.#now(),
    )
    const body = documents.map((document) => `${JSON.stringify(document)}\n`).join('')
    const status = await this.#send('POST', '/documents', body, { 'content-type': 'application/x-ndjson' })
    if (status === 200) acknowledge(this.#now())
  }

  async #remove(ids: string[]): Promise<void> {
    const acknowledge = this.#model.begin(
      ids.map((id) => ({ id, document: undefined })),
      this.#now(),
    )
    const status = await this.#send('POST', '/documents/delete', { ids })
    if (status === 200) acknowledge(this.#now())
  }

  async #send(method: string, path: string, body: unknown, headers = {}): Promise<number | undefined> {
    const answer = await this.#service.send(method, path, body, headers)
    const status = answer?.status ?? 'broken'
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1)
    // A service that is gone, or says no at once, would make this spin.
    if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 10))
    if (answer && answer.status !== 200 && answer.status !== 429 && answer.status < 500) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    }
    return answer?.status
  }
}
