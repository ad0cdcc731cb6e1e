import { connect } from 'node:net'
import type { FuzzRequest } from './requests.ts'

export interface RawAnswer {
  status: number
  headers: string
  body: string
}

/**
 * Sends a request as it is, without a client library that would mend or refuse it.
 * @returns `undefined` where the connection ended without an answer
 */
export function sendRaw(url: string, request: FuzzRequest): Promise<RawAnswer | undefined> {
  const { hostname, port } = new URL(url)
  const { method, path, headers, body } = request
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${hostname}:${port}`, 'connection: close']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body) lines.push(`content-length: ${body.length}`)
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(parse(Buffer.concat(chunks))))
    socket.write(body ? Buffer.concat([head, body]) : head)
  })
}

function parse(bytes: Buffer): RawAnswer | undefined {
  const text = bytes.toString('utf8')
  const end = text.indexOf('\r\n\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]
  if (end < 0 || status === undefined) return undefined
  return { status: Number(status), headers: text.slice(0, end), body: text.slice(end + 4) }
}
