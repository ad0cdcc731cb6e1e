import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hubAddress } from '../../../../src/tools/pull/hub/hub-address.ts'
import { checkpointFolder } from '../../../fixtures/tiny-model.ts'
import { LoopbackHub } from '../loopback-hub.ts'
import { content, expected, freshFolder, pull, REPOSITORY } from '../pulls.ts'

const SHARDED = checkpointFolder('gqa-released')
const SHARD = 'model-00002-of-00003.safetensors'
const SHARDS = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`)

let hub: LoopbackHub
let commit: string
beforeEach(async () => {
  hub = await LoopbackHub.start()
  commit = hub.publishFolder(REPOSITORY, SHARDED, {
    'pytorch_model.bin': { bytes: Buffer.from('pickle'), lfs: true },
    'README.md': { bytes: Buffer.from('# words'), lfs: false },
    'generation_config.json': { bytes: Buffer.from('{}'), lfs: false },
  })
})
afterEach(() => hub.close())

describe('a pull', () => {
  it('takes descriptions, tokenizer and the shards of the index, and nothing else', async () => {
    const { folder, told, pulled } = await pull(hub)
    expect(content(folder)).toEqual(expected(SHARDED))
    expect(pulled).toEqual({ commit, adapter: false, licence: 'mit' })
    expect(told.downloaded).toEqual([
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'model.safetensors.index.json',
      ...SHARDS,
    ])
    const record = JSON.parse(readFileSync(join(folder, 'pull.json'), 'utf8'))
    expect(record).toMatchObject({ repository: REPOSITORY, revision: 'main', commit, complete: true })
    expect(hub.asked.some(({ path }) => path.endsWith('.bin') || path.endsWith('.md'))).toBe(false)
  })

  it('takes a single file of weights', async () => {
    hub.publishFolder('BAAI/one', checkpointFolder('mha-paper'))
    const { folder } = await pull(hub, { repository: 'BAAI/one' })
    expect(content(folder)).toEqual(expected(checkpointFolder('mha-paper')))
  })

  it('reads a listing of many pages', async () => {
    hub.pageSize = 2
    const { folder } = await pull(hub)
    expect(content(folder)).toEqual(expected(SHARDED))
  })

  it('keeps what is there and right, and mends what is not', async () => {
    const { folder } = await pull(hub)
    hub.asked.length = 0
    const again = await pull(hub, { folder })
    expect(again.told.downloaded).toEqual([])
    expect(hub.asked.filter(({ path }) => path.includes('/resolve/'))).toEqual([])
    const shard = readFileSync(join(folder, SHARD))
    shard[100]! ^= 1
    writeFileSync(join(folder, SHARD), shard)
    truncateSync(join(folder, 'config.json'), 10)
    const mended = await pull(hub, { folder })
    expect(mended.told.downloaded).toEqual(['config.json', SHARD])
    expect(content(folder)).toEqual(expected(SHARDED))
  })

  it('takes the revision asked for', async () => {
    const files = { ...expected(SHARDED), 'README.md': Buffer.from('') }
    const other = hub.publish(
      REPOSITORY,
      Object.fromEntries(
        Object.entries(files).map(([name, bytes]) => [
          name,
          {
            bytes: name === 'tokenizer_config.json' ? Buffer.from('{"other":1}') : bytes,
            lfs: name.endsWith('s'),
          },
        ]),
      ),
      ['refs/pr/3'],
    )
    const { pulled, folder } = await pull(hub, { revision: 'refs/pr/3' })
    expect(pulled.commit).toBe(other)
    expect(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8')).toBe('{"other":1}')
    expect((await pull(hub, { revision: commit })).pulled.commit).toBe(commit)
  })
})

describe('a revision that moves between two pulls', () => {
  it('never mixes: beginnings of the old one are not gone on with, its files are gone', async () => {
    const folder = freshFolder()
    hub.trouble(SHARD, { cutAfter: 20_000 }, ...Array(3).fill({ cutAfter: 0 }))
    await expect(pull(hub, { folder })).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' })
    const partials = Object.keys(content(folder)).filter((name) => name.endsWith('.partial'))
    expect(partials).toHaveLength(1)
    expect(statSync(join(folder, partials[0]!)).size).toBe(20_000)
    hub.publishFolder(REPOSITORY, checkpointFolder('mha-released'))
    hub.asked.length = 0
    const { told } = await pull(hub, { folder })
    expect(told.notes.join()).toMatch(/main was [0-9a-f]{12} and is [0-9a-f]{12} now/)
    expect(content(folder)).toEqual(expected(checkpointFolder('mha-released')))
    expect(hub.asked.every(({ range }) => range === undefined)).toBe(true)
  })
})

describe('a folder', () => {
  it('of a person or of another repository is left alone', async () => {
    const folder = freshFolder()
    mkdirSync(folder)
    writeFileSync(join(folder, 'config.json'), 'mine')
    await expect(pull(hub, { folder })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('mine')
    const other = await pull(hub)
    hub.publishFolder('BAAI/one', checkpointFolder('mha-paper'))
    const refused = pull(hub, { folder: other.folder, repository: 'BAAI/one' })
    await expect(refused).rejects.toThrow(`holds ${REPOSITORY}`)
  })

  it('is used by one pull at a time', async () => {
    hub.pauseMs = 5
    hub.bytesPerChunk = 2000
    const folder = freshFolder()
    const first = pull(hub, { folder })
    while (!existsSync(join(folder, '.pull.lock'))) await new Promise((done) => setTimeout(done, 5))
    await expect(pull(hub, { folder })).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    await first
    expect(content(folder)).toEqual(expected(SHARDED))
    await pull(hub, { folder })
  })

  it('locked by a process that is gone is free', async () => {
    const folder = freshFolder()
    mkdirSync(folder)
    writeFileSync(join(folder, '.pull.lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }))
    await pull(hub, { folder })
    writeFileSync(join(folder, '.pull.lock'), JSON.stringify({ pid: process.pid, host: 'elsewhere' }))
    await expect(pull(hub, { folder })).rejects.toThrow('on elsewhere')
  })
})

describe('a disk', () => {
  it('that is too small for the weights is refused before their first byte', async () => {
    hub.sizes.set(SHARD, 2 ** 50)
    await expect(pull(hub)).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining('still to be downloaded'),
    })
    expect(hub.ranges(SHARD)).toEqual([])
  })

  it('that fills up is told, and the pull goes on later', async () => {
    const folder = freshFolder()
    const sha256 = createHash('sha256').update(expected(SHARDED)[SHARD]!).digest('hex')
    const full = join(folder, `${SHARD}.${sha256.slice(0, 16)}.partial`)
    const half = pull(hub, { folder, beforeWeights: async () => symlinkSync('/dev/full', full) })
    await expect(half).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining('disk is full (ENOSPC)'),
    })
    rmSync(full)
    const { told } = await pull(hub, { folder })
    expect(told.kept).toContain(SHARDS[0])
    expect(content(folder)).toEqual(expected(SHARDED))
  })
})

describe('a token', () => {
  it('goes to the hub and not to the server it redirects to', async () => {
    await pull(hub, { token: 'any-word-of-a-mirror' })
    const hubs = hub.asked.filter(({ server }) => server === 'hub')
    expect(hubs.every(({ authorization }) => authorization === 'Bearer any-word-of-a-mirror')).toBe(true)
    const cdn = hub.asked.filter(({ server }) => server === 'cdn')
    expect(cdn).toHaveLength(3)
    expect(cdn.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  it('is not sent in the clear', () => {
    expect(() => hubAddress('http://mirror.example', 'secret')).toThrow(
      /not sent to mirror.example over plain http/,
    )
    expect(() => hubAddress('http://mirror.example', 'secret')).not.toThrow(/secret/)
    expect(hubAddress('http://mirror.example').url).toBe('http://mirror.example')
    expect(hubAddress('https://mirror.example/hub/', 'secret').url).toBe('https://mirror.example/hub')
    for (const url of ['mirror.example', 'ftp://mirror.example', 'https://me:word@mirror.example']) {
      expect(() => hubAddress(url)).toThrow(/^The hub .* must be an address/)
    }
  })
})
