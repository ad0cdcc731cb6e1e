import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COLOURS, openService, type Service } from './service.ts'

let service: Service
let paths: string[] = []
beforeAll(async () => {
  service = await openService()
  await service.http().post('/documents').send({ documents: COLOURS }).expect(200)
  paths = Object.entries(service.server.swagger().paths ?? {})
    .filter(([, operations]) => 'get' in (operations as object))
    .map(([path]) => path.replace('{id}', 'sky').replace('{name}', 'nobody'))
})
afterAll(() => service.close())

test('HEAD answers as GET does, without a body, on every route that is read', async () => {
  expect(paths.length).toBeGreaterThan(8)
  for (const path of paths) {
    const get = await service.http().get(path)
    const head = await service.http().head(path)
    // Where reading it would be work for nothing, HEAD is no method of the route.
    expect([get.status, 405], `HEAD ${path}`).toContain(head.status)
    expect(head.text ?? '', `HEAD ${path}`).toBe('')
    if (head.status === get.status) expect(head.headers['content-type']).toBe(get.headers['content-type'])
  }
})

/** Status of the answer; `undefined` where the connection is closed without one. */
function statusOf(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = httpRequest(`${service.url}${path}`, { method, headers })
    request.on('response', (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    request.on('connect', (answer, socket) => {
      socket.destroy()
      resolve(answer.statusCode)
    })
    request.on('error', () => resolve(undefined))
    request.end()
  })
}

test('CONNECT and expectations that nobody has are no fault of ours', async () => {
  for (const [method, headers] of [
    ['CONNECT', {}],
    ['GET', { expect: 'the-unexpected' }],
    ['GET', { upgrade: 'websocket', connection: 'upgrade' }],
    ['TRACE', {}],
  ] as const) {
    const status = await statusOf(method, '/livez', headers)
    expect(status === undefined || status < 500, `${method} was answered ${status}`).toBe(true)
  }
  await service.http().get('/livez').expect(200)
})
