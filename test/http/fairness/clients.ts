import { connect, type Socket } from 'node:net'
import type { ApiKey } from '../../../src/http/api-key.ts'

export const ALICE = 'alice-write-key-0123456789'
export const BOB = 'bob-write-key-0123456789'
export const KEYS: ApiKey[] = [ALICE, BOB].map((key) => ({ scope: 'write', key }))

/** A connection that sends what it likes and shows what came back. */
export interface RawClient {
  socket: Socket
  /** All that the server has sent. */
  answer(): string
  /** Resolves with the answer when the server has closed the connection. */
  closed: Promise<string>
  /** Resolves with the answer so far as soon as it holds a whole response head. */
  answered: Promise<string>
}

export function rawClient(url: string, bytes: string): RawClient {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(answer)).on('error', () => {})
  })
  const answered = new Promise<string>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk
      if (answer.includes('\r\n\r\n')) resolve(answer)
    })
    void closed.then(resolve)
  })
  socket.write(bytes)
  return { socket, answer: () => answer, closed, answered }
}

/** The head of a POST whose body is to have `length` bytes. */
export function postHead(path: string, key: string, length: number, type = 'application/json'): string {
  return `POST ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
}

export const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

/** Waits until `holds` does; the test's own time limit ends a wait for what never comes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}
