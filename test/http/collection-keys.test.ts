import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caller, everyRoute, type Route } from './every-route.ts'
import { openService, type Service } from './service.ts'

const WRITE = 'writer-key-0123456789'
/** Keys for single collections: the path of every route that names one names `a`. */
const SCOPED = [
  { scope: 'read', key: 'reads-a-0123456789', collections: ['a'] },
  { scope: 'write', key: 'writes-a-0123456789', collections: ['a', 'b'] },
  { scope: 'write', key: 'writes-b-0123456789', collections: ['b'] },
  { scope: 'read', key: 'reads-default-0123456789', collections: ['default'] },
  { scope: 'write', key: 'writes-default-0123456789', collections: ['default'] },
] as const

let service: Service
let caller: Caller
let routes: Route[] = []
beforeAll(async () => {
  service = await openService({ apiKeys: [{ scope: 'write', key: WRITE }, ...SCOPED] })
  caller = new Caller(service.url)
  routes = everyRoute(service.server).filter(({ access }) => access !== 'public')
})
afterAll(async () => {
  caller.close()
  await service.close()
})

const withKey = (key: string) => ({ authorization: `Bearer ${key}` })

describe.each(SCOPED)('a key to $scope $collections', ({ scope, key, collections }) => {
  const within = ({ access, reach }: Route) =>
    (access === 'read' || scope === 'write') &&
    (reach === 'none' || collections.some((name) => name === reach))

  test('opens every route of these collections, and no other', async () => {
    const [inside, outside] = [routes.filter(within), routes.filter((route) => !within(route))]
    expect(Math.min(inside.length, outside.length)).toBeGreaterThan(8)
    const passes = (status: number) => status !== 401 && status !== 403
    expect(await caller.breaking(inside, withKey(key), passes)).toEqual([])
    expect(await caller.breaking(outside, withKey(key), (status) => status === 403)).toEqual([])
  })
})

test('an alias gives a key for single collections nothing more', async () => {
  const { http } = service
  const readsA = SCOPED[0].key
  for (const name of ['a', 'b'])
    await http().put(`/collections/${name}`).auth(WRITE, { type: 'bearer' }).send({})
  const set = (alias: string, collection: string) =>
    http().put(`/aliases/${alias}`).auth(WRITE, { type: 'bearer' }).send({ collection }).expect(200)
  await set('mine', 'a')
  await set('other', 'b')
  const get = (path: string) => http().get(path).auth(readsA, { type: 'bearer' })
  expect((await get('/collections/mine').expect(200)).body.name).toBe('a')
  for (const path of ['/collections/other', '/collections/other/documents', '/collections/b', '/documents']) {
    expect((await get(path).expect(403)).body.code).toBe('FORBIDDEN')
  }
  await set('mine', 'b')
  await get('/collections/mine/documents').expect(403)
  expect((await get('/collections')).body.collections.map(({ name }: { name: string }) => name)).toEqual([
    'a',
  ])
  expect((await get('/aliases')).body.aliases).toEqual([])
  // Whether there is another collection does not show.
  const [there, missing] = [await get('/collections/b'), await get('/collections/none')]
  expect(there.body.detail).toBe(missing.body.detail)
})
