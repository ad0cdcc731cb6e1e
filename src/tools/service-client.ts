import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '../errors.ts'
import { faultOf } from './evaluate/service/service-fault.ts'

/** A refusal for want of room or readiness is tried again for so long. */
const RETRY_MS_MAX = 5 * 60_000

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
  readonly #key: string | undefined
  readonly #agent: HttpAgent | HttpsAgent

  /** @throws ServiceError INVALID_INPUT for what is not an http address */
  constructor(url: string, key?: string) {
    const parsed = parse(url)
    if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '') {
      throw new ServiceError(
        'INVALID_INPUT',
        '--url must be like http://127.0.0.1:8080, without user or password.',
      )
    }
    this.url = url.replace(/\/+$/, '')
    this.#key = key
    this.#agent =
      parsed.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  }

  /**
   * The answer's JSON. A service that is full or not ready is waited for.
   * @throws ServiceError with the service's own code and message; UNAVAILABLE where it cannot be reached
   */
  async send<T>(sent: Sent): Promise<T> {
    const until = performance.now() + RETRY_MS_MAX
    for (;;) {
      const { status, retryAfterS, text } = await this.#exchange(sent)
      if (status >= 200 && status < 300) return json<T>(text, this.url)
      const fault = faultOf(status, text, `${sent.method} ${this.url}${sent.path}`)
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

  #exchange({ method, path, body, type = 'application/json', signal }: Sent) {
    const request = this.url.startsWith('https:') ? httpsRequest : httpRequest
    const headers = {
      ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      ...(this.#key !== undefined && { authorization: `Bearer ${this.#key}` }),
    }
    return new Promise<{ status: number; retryAfterS: number | undefined; text: string }>(
      (resolve, reject) => {
        const fail = (error: Error) =>
          reject(
            signal?.aborted
              ? stopped()
              : new ServiceError('UNAVAILABLE', `Cannot reach ${this.url}: ${error.message || 'no answer'}.`),
          )
        const options = { method, headers, agent: this.#agent, ...(signal && { signal }) }
        const outgoing = request(`${this.url}${path}`, options, (answer) => {
          textOf(answer).then((text) => {
            const retryAfter = Number(answer.headers['retry-after'])
            const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : undefined
            resolve({ status: answer.statusCode ?? 0, retryAfterS, text })
          }, fail)
        })
        outgoing.once('error', fail)
        outgoing.end(body)
      },
    )
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
    throw new ServiceError('INVALID_INPUT', `${url} did not answer with JSON: is it a LLaRA Serve?`)
  }
}

function stopped(): ServiceError {
  return new ServiceError('ABORTED', 'Stopped.')
}
