import { connect, type Socket } from 'node:net'

/** A client that sends what it likes, when it likes. */
export class RawClient {
  readonly #socket: Socket
  #received = ''
  closed = false

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect(Number(port), hostname)
    this.#socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1')
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.closed = true
    })
  }

  /** Status of the first answer, if there is one. */
  get status(): number | undefined {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(this.#received)?.[1]
    return status === undefined ? undefined : Number(status)
  }

  send(bytes: string | Buffer): void {
    if (!this.closed) this.#socket.write(bytes)
  }

  /** From now on, what the service answers stays in the network. */
  stopReading(): void {
    this.#socket.pause()
  }

  end(): void {
    this.#socket.destroy()
  }
}

/** Head of a request whose body is to follow. */
export function head(path: string, key: string, headers: Record<string, string | number>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n${lines.join('')}\r\n`
}
