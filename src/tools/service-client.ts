import { createWriteStream } from 'node:fs'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { ToolError } from '../cli/tool-error.ts'
import { ERROR_CODES, type ErrorCode, type ErrorDetails, ServiceError } from '../errors.ts'

/** A service that is full or not ready is asked again for this long. */
const RETRY_MS_MAX = 5 * 60_000

interface ServiceOptions {
  key?: string | undefined
  /** How this program is given a key, a sentence: added where the service refuses for want of one. */
  keyAdvice: string
  /** Default: five minutes. */
  retryMsMax?: number
}

export interface Sent {
  method: 'GET' | 'POST'
  path: string
  body?: string
  /** Default `application/json`. */
  type?: string
  signal?: AbortSignal
}

/** HTTP to one service. Not `fetch`, which gives up after five minutes without headers: a batch may take longer. */
export class ServiceClient {
  readonly url: string
  readonly #options: ServiceOptions
  readonly #agent: HttpAgent | HttpsAgent

  /** @throws ToolError INVALID_USAGE for what is not an http address */
  constructor(url: string, options: ServiceOptions) {
    const parsed = parse(url)
    if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '') {
      const message = `--url ${url}: it must be like http://127.0.0.1:8080, without user or password.`
      throw new ToolError('INVALID_USAGE', parsed?.username ? message.replace(` ${url}`, '') : message)
    }
    this.url = url.replace(/\/+$/, '')
    this.#options = options
    this.#agent =
      parsed.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  }

  /**
   * The answer's JSON. A service that is full or not ready is waited for.
   * @throws ServiceError with the service's own code, message and details
   * @throws ToolError SERVICE_UNREACHABLE, STOPPED
   */
  async send<T>(sent: Sent): Promise<T> {
    const { keyAdvice, retryMsMax = RETRY_MS_MAX } = this.#options
    const until = performance.now() + retryMsMax
    for (;;) {
      const { status, retryAfterS, text } = await this.#exchange(sent)
      if (status >= 200 && status < 300) return json<T>(text, this.url)
      const fault = faultOf(status, text, `${sent.method} ${this.url}${sent.path}`, keyAdvice)
      // What was stored before a stream broke off is the caller's to weigh.
      const again = (status === 429 || status === 503) && fault.details['committed_lines'] === undefined
      if (!again || performance.now() > until) throw fault
      await sleep(1000 * (retryAfterS ?? 1), undefined, sent.signal ? { signal: sent.signal } : {}).catch(
        () => {
          throw stopped()
        },
      )
    }
  }

  /**
   * Writes the answer's bytes into a file, over what is there.
   * @throws ServiceError with the service's own code, message and details
   * @throws ToolError SERVICE_UNREACHABLE also when the connection breaks off, STOPPED; what the file system says
   */
  async download(sent: Sent, file: string): Promise<void> {
    const answer = await this.#request(sent)
    const status = answer.statusCode ?? 0
    if (status < 200 || status >= 300) {
      const what = `${sent.method} ${this.url}${sent.path}`
      throw faultOf(status, await textOf(answer), what, this.#options.keyAdvice)
    }
    const target = createWriteStream(file)
    let written: NodeJS.ErrnoException | undefined
    target.once('error', (error) => {
      written = error
    })
    await pipeline(answer, target).catch((error) => {
      throw written ?? (sent.signal?.aborted ? stopped() : unreachable(this.url, error))
    })
  }

  async #exchange(sent: Sent) {
    const answer = await this.#request(sent)
    const text = await textOf(answer).catch((error) => {
      throw sent.signal?.aborted ? stopped() : unreachable(this.url, error)
    })
    const retryAfter = Number(answer.headers['retry-after'])
    const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : undefined
    return { status: answer.statusCode ?? 0, retryAfterS, text }
  }

  #request({ method, path, body, type = 'application/json', signal }: Sent) {
    const request = this.url.startsWith('https:') ? httpsRequest : httpRequest
    const { key } = this.#options
    const headers = {
      ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const options = { method, headers, agent: this.#agent, ...(signal && { signal }) }
      const outgoing = request(`${this.url}${path}`, options, resolve)
      outgoing.once('error', (error) => reject(signal?.aborted ? stopped() : unreachable(this.url, error)))
      outgoing.end(body)
    })
  }
}

function parse(url: string): URL | null {
  try {
    return new URL(url)
  } catch {
    return null
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function json<T>(text: string, url: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    const message = `${url} did not answer with JSON. Check that it is a LLaRA Serve.`
    throw new ToolError('SERVICE_UNREACHABLE', message)
  }
}

/** Codes of what is wrong with a certificate, as Node and OpenSSL name them. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_/

function unreachable(url: string, cause: NodeJS.ErrnoException): ToolError {
  if (UNTRUSTED.test(cause.code ?? '')) {
    const message = `The certificate of ${url} is not trusted (${cause.code}). Name a file with the certificate of who issued it in NODE_EXTRA_CA_CERTS.`
    return new ToolError('SERVICE_UNREACHABLE', message, {}, cause)
  }
  const reason = cause.code ?? cause.message
  const message = `Nothing answers at ${url} (${reason || 'no reason given'}). Check the address, or start the service there.`
  return new ToolError('SERVICE_UNREACHABLE', message, {}, cause)
}

/** A service's problem details (RFC 9457) as an error of the same code. */
function faultOf(status: number, text: string, what: string, keyAdvice: string): ServiceError {
  let problem: { code?: unknown; detail?: unknown; details?: ErrorDetails } = {}
  try {
    problem = JSON.parse(text) ?? {}
  } catch {
    // A proxy's answer, perhaps: the status has to do.
  }
  const code = ERROR_CODES.find((known) => known === problem.code) ?? codeOf(status)
  const detail = typeof problem.detail === 'string' ? problem.detail : `status ${status}`
  const advice = status === 401 || status === 403 ? ` ${keyAdvice}` : ''
  return new ServiceError(code, `${what}: ${detail}${advice}`, problem.details ?? {})
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'UNAUTHORIZED'
  if (status === 403) return 'FORBIDDEN'
  if (status === 404) return 'NOT_FOUND'
  return status >= 500 ? 'UNAVAILABLE' : 'INVALID_INPUT'
}

function stopped(): ToolError {
  return new ToolError('STOPPED', 'Stopped.')
}
