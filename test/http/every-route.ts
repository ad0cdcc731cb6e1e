import { Agent, request as httpRequest } from 'node:http'
import type { Server } from '../../src/http/http-context.ts'

export interface Route {
  method: string
  path: string
  /** What a caller needs. */
  access: 'public' | 'read' | 'write'
  /** What it touches: one collection, nothing of any, or the whole service. */
  reach: 'a' | 'default' | 'none' | 'service'
}

/** Routes that touch no collection, or show of each what the key is for. */
const NO_COLLECTION = /^\/(collections|aliases|embed|v1\/embeddings|v\d\/rerank|openapi\.yaml|docs(\/.*)?)$/
/** Administration of a collection as a whole. */
const WHOLE_SERVICE = [
  'PUT /collections/:collection',
  'DELETE /collections/:collection',
  'POST /collections/:collection/copy',
]

function reachOf(method: string, pattern: string): Route['reach'] {
  if (NO_COLLECTION.test(pattern)) return 'none'
  if (WHOLE_SERVICE.includes(`${method} ${pattern}`)) return 'service'
  if (pattern.startsWith('/collections/:collection')) return 'a'
  return /^\/(documents(\/.*)?|search|rerank|info)$/.test(pattern) ? 'default' : 'service'
}

/**
 * Who may call what: looking needs `read`, changing needs `write`. A new route follows this rule by itself; one that is
 * an exception is added here, so that somebody has decided it.
 */
const EXCEPTIONS: Record<string, Route['access']> = {
  'GET /livez': 'public',
  'GET /readyz': 'public',
  // A backup holds everything, and listing them is administration.
  'GET /backups': 'write',
  'GET /backups/:name': 'write',
  // Jobs are administration, and say the names of files.
  'GET /jobs': 'write',
  'GET /jobs/:id': 'write',
  'GET /jobs/:id/errors': 'write',
  'POST /search': 'read',
  'POST /embed': 'read',
  'POST /v1/embeddings': 'read',
  'POST /documents/query': 'read',
  'POST /rerank': 'read',
  'POST /v1/rerank': 'read',
  'POST /v2/rerank': 'read',
}

/** Every route that the server has, from the tree that it prints: those outside the contract are among them. */
export function everyRoute(server: Server): Route[] {
  const trail: string[] = []
  return server
    .printRoutes()
    .split('\n')
    .flatMap((line) => {
      const [, indent, part = '', methods = ''] = /^([│ ]*)[├└]── (\S*)(?: \((.+)\))?$/.exec(line) ?? []
      if (indent === undefined) return []
      trail.splice(indent.length / 4, Number.POSITIVE_INFINITY, part)
      const pattern = trail.join('')
      const path = pattern.replace(/:\w+/g, 'a').replace('*', 'swagger-ui.css')
      return methods.split(', ').flatMap((method): Route[] => {
        if (method === '') return []
        const rule = method === 'GET' || method === 'HEAD' ? 'read' : 'write'
        const access =
          EXCEPTIONS[
            `${method.replace('HEAD', 'GET')} ${pattern.replace('/collections/:collection/', '/')}`
          ] ?? rule
        return [{ method, path, access, reach: reachOf(method, pattern) }]
      })
    })
}

/** Asks a service, and keeps its connections. */
export class Caller {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true })

  constructor(url: string) {
    this.#url = new URL(url)
  }

  ask(method: string, path: string, headers: Record<string, string> = {}): Promise<number> {
    const { hostname, port } = this.#url
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        { hostname, port, method, path, headers, agent: this.#agent },
        (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
        },
      )
      // What is no HTTP is refused before its method is known, so that the answer to HEAD has a body.
      const refused = ({ code = '' }: NodeJS.ErrnoException) => code.startsWith('HPE_')
      outgoing.once('error', (error) => (refused(error) ? resolve(400) : reject(error))).end()
    })
  }

  /** Routes whose answer breaks the rule, as text. */
  async breaking(
    of: Route[],
    headers: Record<string, string>,
    allowed: (status: number) => boolean,
  ): Promise<string[]> {
    const answers = await Promise.all(
      of.map(async ({ method, path }) => ({
        route: `${method} ${path}`,
        status: await this.ask(method, path, headers),
      })),
    )
    return answers.filter(({ status }) => !allowed(status)).map(({ route, status }) => `${route}: ${status}`)
  }

  close(): void {
    this.#agent.destroy()
  }
}
