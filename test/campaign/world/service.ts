import { createHash } from 'node:crypto'
import { type Running, startServer } from '../../system/built-server.ts'
import type { ClientDocument } from './client-model.ts'

/** An answer, or `undefined` where the connection broke: the service may or may not have done it. */
export type Answer = { status: number; body: Record<string, unknown>; headers: Headers } | undefined

/** The built service as a process, spoken to as a client would. */
export class Service {
  readonly process: Running

  private constructor(process: Running) {
    this.process = process
  }

  /** @throws Error with its output when it does not become ready */
  static async start(environment: Record<string, string>): Promise<Service> {
    return new Service(await startServer({ LOG_LEVEL: 'warn', ...environment }))
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    try {
      const answer = await fetch(`${this.process.url}${path}`, {
        method,
        headers: { ...type, ...headers },
        ...(body !== undefined && { body: text }),
      })
      const content = await answer.text()
      return { status: answer.status, headers: answer.headers, body: asObject(content) }
    } catch {
      return undefined
    }
  }

  /** @throws Error with what it said, if the process has ended */
  mustLive(): void {
    const { exitCode, signalCode } = this.process.child
    if (exitCode === null && signalCode === null) return
    throw new Error(`the service ended (${exitCode ?? signalCode}):\n${this.process.output().slice(-3000)}`)
  }

  /** All documents, read page by page. @throws Error when a page does not come */
  async documents(): Promise<Map<string, ClientDocument>> {
    const found = new Map<string, ClientDocument>()
    for (let cursor: unknown = ''; typeof cursor === 'string'; ) {
      const answer = await this.send('GET', `/documents?limit=500${cursor && `&cursor=${cursor}`}`)
      if (answer?.status !== 200)
        throw new Error(`listing answered ${answer?.status}: ${JSON.stringify(answer?.body)}`)
      for (const document of answer.body['documents'] as ClientDocument[]) found.set(document.id, document)
      cursor = answer.body['next_cursor']
    }
    return found
  }

  /** Ends it at once, as a crash would. */
  async crash(): Promise<void> {
    await this.process.kill('SIGKILL')
  }

  /** Ends it as an operator would. @throws Error when it does not end well */
  async stop(): Promise<void> {
    const { code } = await this.process.kill('SIGTERM')
    if (code !== 0) throw new Error(`the service ended with ${code}:\n${this.process.output().slice(-2000)}`)
  }
}

function asObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { text }
  }
}

/** Texts that documents share, so that a search like one of them has a known answer. */
const TEXTS = Array.from({ length: 24 }, (_, i) => {
  const words = createHash('sha256').update(String(i)).digest('hex').match(/.{4}/g)!
  return `text ${i} about ${words.join(' ')}`
})

/** The document of an id in its nth version. */
export function makeDocument(id: string, version: number): ClientDocument {
  const hash = createHash('sha256').update(`${id} ${version}`).digest()
  return {
    id,
    text: TEXTS[hash[0]! % TEXTS.length]!,
    ...(hash[1]! % 3 === 0 && { title: `title ${hash[2]! % 5}` }),
    metadata: { version, colour: ['red', 'green', 'blue'][hash[3]! % 3]!, size: hash[4]! / 8 },
  }
}
