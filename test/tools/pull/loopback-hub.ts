import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'

export interface HubFile {
  bytes: Buffer
  /** Large files: the listing has their sha256, and the hub redirects to the other server. */
  lfs: boolean
}

/** What goes wrong with one request for a file's bytes. */
export interface Trouble {
  /** The connection ends after so many bytes of the answer. */
  cutAfter?: number
  /** The answer is announced and stops after so many bytes, the connection stays open. */
  stallAfter?: number
  /** The whole file, whatever Range asks for. */
  ignoreRange?: boolean
  /** One byte is another. */
  corrupt?: boolean
  status?: number
  headers?: Record<string, string>
}

export interface Asked {
  server: 'hub' | 'cdn'
  path: string
  range?: string
  authorization?: string
}

/** A model hub on this machine: the hub itself and a second server (another port) for large files. */
export class LoopbackHub {
  readonly #hub: Server
  readonly #cdn: Server
  readonly #repositories = new Map<string, Map<string, Map<string, HubFile>>>()
  readonly #troubles = new Map<string, Trouble[]>()
  readonly asked: Asked[] = []
  /** Every answer of the API and the hub, before anything else. */
  refuse:
    | ((request: IncomingMessage) => { status: number; headers?: Record<string, string> } | undefined)
    | undefined
  /** Waited for before a connection is cut, given the place in the file: what is still in flight would be lost. */
  beforeCut: ((name: string, at: number) => Promise<void>) | undefined
  bytesPerChunk = 64 * 1024
  pauseMs = 0
  pageSize = 1000
  /** Size the listing gives instead of a file's own. */
  readonly sizes = new Map<string, number>()

  private constructor() {
    this.#hub = createServer((request, response) => void this.#answerHub(request, response))
    this.#cdn = createServer((request, response) => void this.#answerCdn(request, response))
  }

  static async start(): Promise<LoopbackHub> {
    const hub = new LoopbackHub()
    for (const server of [hub.#hub, hub.#cdn]) {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    }
    return hub
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`
  }

  get cdnUrl(): string {
    return `http://127.0.0.1:${(this.#cdn.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    }
  }

  /** Publishes files as a new commit; `branches` point to it. Returns the commit. */
  publish(repository: string, files: Record<string, HubFile>, branches = ['main']): string {
    const commit = createHash('sha1')
      .update(`${repository} ${this.#repositories.size} ${Math.random()}`)
      .digest('hex')
    const revisions = this.#repositories.get(repository) ?? new Map<string, Map<string, HubFile>>()
    const content = new Map(Object.entries(files))
    for (const name of [commit, ...branches]) revisions.set(name, content)
    this.#commits.set(content, commit)
    this.#repositories.set(repository, revisions)
    return commit
  }

  /** Publishes a folder; safetensors are large files. */
  publishFolder(repository: string, folder: string, more: Record<string, HubFile> = {}): string {
    return this.publish(repository, { ...filesOf(folder), ...more })
  }

  /** What goes wrong with the next requests for a file's bytes, one after another. */
  trouble(path: string, ...troubles: Trouble[]): void {
    this.#troubles.set(path, troubles)
  }

  /** Ranges asked for of a file, in order; `whole` where none was. */
  ranges(path: string): string[] {
    const large = this.asked.some((asked) => asked.server === 'cdn' && asked.path.endsWith(`/${path}`))
    return this.asked
      .filter((asked) => asked.path.endsWith(`/${path}`) && asked.server === (large ? 'cdn' : 'hub'))
      .map(({ range }) => range ?? 'whole')
  }

  readonly #commits = new Map<Map<string, HubFile>, string>()

  #note(server: Asked['server'], request: IncomingMessage, path: string): void {
    const { range, authorization } = request.headers
    this.asked.push({ server, path, ...(range && { range }), ...(authorization && { authorization }) })
  }

  async #answerHub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url)
    const path = decodeURIComponent(url.pathname)
    this.#note('hub', request, path)
    const refusal = this.refuse?.(request)
    if (refusal) return void response.writeHead(refusal.status, refusal.headers).end('{}')
    const api = /^\/api\/models\/(.+?)\/(revision|tree)\/(.+)$/.exec(path)
    const resolve = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path)
    const [, repository = '', what, rest = ''] = api ?? [undefined, resolve?.[1], '', resolve?.[2]]
    const [revision = '', ...folder] = what === 'tree' ? rest.split('/') : [rest]
    const revisions = this.#repositories.get(repository)
    if (!revisions) return missing(response, 'RepoNotFound')
    const files = revisions.get(revision)
    if (!files) return missing(response, 'RevisionNotFound')
    if (api?.[2] === 'revision') {
      const body = { _id: '1', id: repository, sha: this.#commits.get(files), cardData: { license: 'mit' } }
      return json(response, { ...body, lastModified: '2024-01-01T00:00:00.000Z' })
    }
    if (api) return this.#list(url, folder.join('/') || '.', files, response)
    const name = resolve![3]!
    const file = files.get(name)
    if (!file) return missing(response, 'EntryNotFound')
    if (file.lfs) {
      const location = `${this.cdnUrl}/${repository}/${revision}/${name}`
      return void response.writeHead(302, { location }).end()
    }
    await this.#send(request, response, name, file)
  }

  async #answerCdn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(request.url!)
    this.#note('cdn', request, path)
    const [, repository, revision, name] = /^\/(.+)\/([^/]+)\/([^/]+)$/.exec(path)!
    await this.#send(
      request,
      response,
      name!,
      this.#repositories.get(repository!)!.get(revision!)!.get(name!)!,
    )
  }

  #list(url: URL, folder: string, files: Map<string, HubFile>, response: ServerResponse): void {
    const from = Number(url.searchParams.get('cursor') ?? 0)
    const top = [...files].filter(([path]) => dirname(path) === folder)
    const entries = top.slice(from, from + this.pageSize).map(([path, { bytes, lfs }]) => {
      const size = this.sizes.get(path) ?? bytes.length
      const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
      const large = { oid: createHash('sha256').update(bytes).digest('hex'), size, pointerSize: 134 }
      return { type: 'file', path, oid, size, ...(lfs && { lfs: large }) }
    })
    url.searchParams.set('cursor', String(from + this.pageSize))
    const more = from + this.pageSize < top.length
    const inside = folder === '.' ? ['onnx', ...[...files.keys()].map(dirname)] : []
    const folders = [...new Set(inside)]
      .filter((path) => path !== '.')
      .map((path) => ({ type: 'directory', path, oid: '0'.repeat(40), size: 0 }))
    json(response, [...entries, ...folders], {
      ...(more && { link: `<${url.href}>; rel="next"` }),
    })
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    file: HubFile,
  ): Promise<void> {
    const trouble = this.#troubles.get(name)?.shift() ?? {}
    if (trouble.status) return void response.writeHead(trouble.status, trouble.headers).end()
    const bytes = Buffer.from(file.bytes)
    if (trouble.corrupt) bytes[bytes.length >> 1]! ^= 1
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    const [start, end] =
      range && !trouble.ignoreRange ? [Number(range[1]), Number(range[2]) + 1] : [0, bytes.length]
    const part = bytes.subarray(start, end)
    response.writeHead(start > 0 || (range && !trouble.ignoreRange) ? 206 : 200, {
      'content-length': part.length,
      ...(range && !trouble.ignoreRange && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
      ...trouble.headers,
    })
    const stop = trouble.cutAfter ?? trouble.stallAfter ?? part.length
    for (let at = 0; at < stop; at += this.bytesPerChunk) {
      response.write(part.subarray(at, Math.min(stop, at + this.bytesPerChunk)))
      if (this.pauseMs > 0) await new Promise((done) => setTimeout(done, this.pauseMs))
    }
    if (trouble.stallAfter !== undefined) return
    if (trouble.cutAfter !== undefined) {
      await this.beforeCut?.(name, start + stop)
      response.destroy()
      return
    }
    response.end()
  }
}

export function filesOf(folder: string): Record<string, HubFile> {
  const names = readdirSync(folder)
  return Object.fromEntries(
    names.map((name) => [
      name,
      { bytes: readFileSync(join(folder, name)), lfs: name.endsWith('.safetensors') },
    ]),
  )
}

function json(response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function missing(response: ServerResponse, code: string): void {
  response
    .writeHead(404, { 'x-error-code': code, 'content-type': 'application/json' })
    .end('{"error":"not found"}')
}
