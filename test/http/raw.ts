import { connect } from 'node:net'

/** Sends bytes as they are and gives back all that comes until the server closes, or `untilMs` has passed. */
export async function raw(url: string, bytes: string | Buffer, untilMs = 5000): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(untilMs, () => socket.destroy())
  socket.write(bytes)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  await new Promise((resolve) => socket.on('close', resolve).on('error', resolve))
  return answer
}
