import { createServer, type Server as HttpsServer, type ServerOptions } from 'node:https'
import type { FastifyServerFactory } from 'fastify'

/** PEM texts: a certificate with those that vouch for it behind it, and its private key. */
export interface Certificate {
  cert: string
  key: string
}

/** A client that opens a connection and says nothing holds it no longer than this. */
const HANDSHAKE_MS_MAX = 10_000

/** HTTPS for Fastify, with a certificate that may be replaced while it listens. */
export class TlsServers {
  readonly #servers = new Set<HttpsServer>()
  #certificate: Certificate

  constructor(certificate: Certificate) {
    this.#certificate = certificate
  }

  /** Called by Fastify once for every address that it listens on: localhost has two. */
  readonly factory: FastifyServerFactory = (handler, { keepAliveTimeout, requestTimeout, http }) => {
    const options: ServerOptions = {
      ...(http as ServerOptions),
      ...this.#context(),
      handshakeTimeout: HANDSHAKE_MS_MAX,
    }
    const server = createServer(options, handler)
    Object.assign(server, { keepAliveTimeout, requestTimeout })
    this.#servers.add(server)
    return server
  }

  /** New connections get this certificate; those that are open go on. */
  renew(certificate: Certificate): void {
    this.#certificate = certificate
    for (const server of this.#servers) server.setSecureContext(this.#context())
  }

  #context() {
    return { ...this.#certificate, minVersion: 'TLSv1.2' } as const
  }
}
