import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hubAddress } from '../../../../src/tools/pull/hub/hub-address.ts'
import { checkpointFolder } from '../../../fixtures/tiny-model.ts'
import { LoopbackHub } from '../loopback-hub.ts'
import { content, expected, freshFolder, pull, REPOSITORY } from '../pulls.ts'

const SHARDED = checkpointFolder('gqa-released')
const SHARD = 'model-00002-of-00003.safetensors'
const SIZE = readFileSync(join(SHARDED, SHARD)).length

let hub: LoopbackHub
beforeEach(async () => {
  hub = await LoopbackHub.start()
  hub.publishFolder(REPOSITORY, SHARDED)
})
afterEach(() => hub.close())

async function succeeds() {
  const { folder, told } = await pull(hub)
  expect(content(folder)).toEqual(expected(SHARDED))
  return told
}

describe('a connection', () => {
  it('that is cut goes on where it stopped, again and again', async () => {
    hub.trouble(SHARD, { cutAfter: 10_000 }, { cutAfter: 0 }, { cutAfter: 7000 })
    const told = await succeeds()
    expect(hub.ranges(SHARD)).toEqual([
      'whole',
      `bytes=10000-${SIZE - 1}`,
      `bytes=10000-${SIZE - 1}`,
      `bytes=17000-${SIZE - 1}`,
    ])
    expect(told.notes).toHaveLength(3)
    expect(told.notes[0]).toContain(SHARD)
  })

  it('that falls silent is left', async () => {
    hub.trouble(SHARD, { stallAfter: 5000 })
    const { folder, told } = await pull(hub, { hub: hubAddress(hub.url, undefined, 2000) })
    expect(content(folder)).toEqual(expected(SHARDED))
    expect(hub.ranges(SHARD)).toEqual(['whole', `bytes=5000-${SIZE - 1}`])
    expect(told.notes[0]).toContain('sent nothing')
  })

  it('that is cut too often ends the pull, and the next one goes on', async () => {
    const folder = freshFolder()
    hub.trouble(SHARD, { cutAfter: 10_000 }, ...Array(3).fill({ cutAfter: 0 }))
    await expect(pull(hub, { folder })).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' })
    expect(hub.ranges(SHARD)).toHaveLength(4)
    expect(readdirSync(folder)).not.toContain(SHARD)
    hub.asked.length = 0
    await pull(hub, { folder })
    expect(hub.ranges(SHARD)).toEqual([`bytes=10000-${SIZE - 1}`])
    expect(content(folder)).toEqual(expected(SHARDED))
  })

  it('to nobody is told with what to do', async () => {
    const gone = await LoopbackHub.start()
    const nobody = hubAddress(gone.url, undefined, 500)
    await gone.close()
    await expect(pull(hub, { hub: nobody })).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/127.0.0.1:\d+ .*ECONNREFUSED.*--mirror URL/),
    })
  })
})

describe('a server', () => {
  it('that ignores Range gives no byte twice', async () => {
    hub.trouble(SHARD, { cutAfter: 10_000 }, { ignoreRange: true, cutAfter: 9000 }, { ignoreRange: true })
    await succeeds()
    expect(hub.ranges(SHARD)).toHaveLength(3)
  })

  it('that sends another part than asked for is asked again', async () => {
    hub.trouble(SHARD, { cutAfter: 10_000 }, { headers: { 'content-range': `bytes 0-9/${SIZE}` } })
    await succeeds()
    expect(hub.ranges(SHARD)).toHaveLength(3)
  })

  it.each([429, 500, 503])('that answers %s is asked again, when it says', async (status) => {
    hub.trouble(SHARD, { status, headers: { 'retry-after': '1' } }, { status })
    const told = await succeeds()
    expect(told.notes[0]).toMatch(new RegExp(`status ${status} .* Trying again in 1.0 s`))
    expect(hub.ranges(SHARD)).toHaveLength(3)
  })

  it('that asks for a pause of hours is not waited for', async () => {
    hub.trouble(SHARD, { status: 503, headers: { 'retry-after': '7200' } })
    await expect(pull(hub)).rejects.toThrow('asks to be tried again in 120 minutes.')
  })

  it('whose API is busy for a moment is asked again', async () => {
    let busy = 3
    hub.refuse = ({ url }) => (url!.startsWith('/api/') && busy-- > 0 ? { status: 503 } : undefined)
    await succeeds()
    expect(busy).toBeLessThan(0)
  })

  it('that is no hub is told', async () => {
    hub.refuse = () => ({ status: 200 })
    await expect(pull(hub)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('does not answer as a model hub does'),
    })
  })
})

describe('a checksum', () => {
  it('that is wrong once is mended, from the first byte', async () => {
    hub.trouble(SHARD, { corrupt: true })
    const told = await succeeds()
    expect(hub.ranges(SHARD)).toEqual(['whole', 'whole'])
    expect(told.notes).toEqual([expect.stringContaining(`${SHARD} arrived with a wrong checksum`)])
  })

  it.each([SHARD, 'tokenizer.json'])(
    'of %s that stays wrong ends the pull and leaves no such file',
    async (name) => {
      const folder = freshFolder()
      hub.trouble(name, ...Array(9).fill({ corrupt: true }))
      await expect(pull(hub, { folder })).rejects.toMatchObject({
        code: 'DOWNLOAD_FAILED',
        message: expect.stringMatching(new RegExp(`^${name} arrived 3 times with a wrong checksum`)),
        details: { file: name },
      })
      expect(hub.ranges(name)).toHaveLength(3)
      expect(readdirSync(folder).filter((file) => file.startsWith(name))).toEqual([])
    },
  )
})

describe('a repository', () => {
  it('that is not there, or not in this revision, is told', async () => {
    const nowhere = pull(hub, { repository: 'BAAI/nowhere' })
    await expect(nowhere).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('BAAI/nowhere'),
    })
    const revision = pull(hub, { revision: 'v9' })
    await expect(revision).rejects.toThrow(
      `${REPOSITORY} (revision v9): the repository exists, but not this revision`,
    )
  })

  it.each([
    [401, {}, 'ACCESS_DENIED', /or pass a token \(--token-file FILE or HF_TOKEN\)/],
    [401, { 'x-error-code': 'GatedRepo' }, 'ACCESS_DENIED', /gated. Accept its terms/],
    [403, {}, 'ACCESS_DENIED', /gated/],
  ])(
    'that answers %s %j says what to do, at once, without the token',
    async (status, headers, code, words) => {
      hub.refuse = ({ url }) => (url!.includes('/resolve/') ? { status, headers } : undefined)
      const error = await pull(hub, { token: 'hf_secret' }).catch((thrown) => thrown)
      expect(error).toMatchObject({ code, message: expect.stringMatching(words) })
      expect(error.message).not.toContain('hf_secret')
      expect(hub.asked.filter(({ path }) => path.includes('/resolve/'))).toHaveLength(1)
    },
  )

  it.each(['no/such/name', '../up', 'BAAI/..', 'a b', ''])(
    'named %j is refused unasked',
    async (repository) => {
      await expect(pull(hub, { repository })).rejects.toMatchObject({ code: 'INVALID_USAGE' })
      expect(hub.asked).toEqual([])
    },
  )

  it('of pickles only is refused with a way out', async () => {
    const file = { bytes: Buffer.from('{}'), lfs: false }
    const files = { 'config.json': file, 'tokenizer.json': file, 'pytorch_model.bin': { ...file, lfs: true } }
    hub.publish('BAAI/pickles', files)
    await expect(pull(hub, { repository: 'BAAI/pickles' })).rejects.toMatchObject({
      code: 'CHECKPOINT_UNUSABLE',
      message: expect.stringMatching(/only as pickle \(pytorch_model.bin\).*refs\/pr\/N.*docs\/models.md/),
    })
    expect(hub.asked.filter(({ path }) => path.includes('/resolve/'))).toEqual([])
    hub.publish('BAAI/pickles', { 'adapter_config.json': file, 'adapter_model.bin': file })
    await expect(pull(hub, { repository: 'BAAI/pickles' })).rejects.toThrow('(adapter_model.bin)')
  })

  it('whose index names a missing shard is refused', async () => {
    const index = { weight_map: { a: '../secret', b: SHARD } }
    const more = { 'model.safetensors.index.json': { bytes: Buffer.from(JSON.stringify(index)), lfs: false } }
    hub.publishFolder(REPOSITORY, SHARDED, more)
    await expect(pull(hub)).rejects.toThrow('names ../secret, which the repository does not have')
  })

  it('of an adapter gives the adapter alone', async () => {
    const file = (text: string) => ({ bytes: Buffer.from(text), lfs: text.length > 5 })
    hub.publish('BAAI/lora', {
      'adapter_config.json': file('{}'),
      'adapter_model.safetensors': file('weights'),
    })
    const { folder, pulled } = await pull(hub, { repository: 'BAAI/lora' })
    expect(pulled.adapter).toBe(true)
    expect(Object.keys(content(folder))).toEqual(['adapter_config.json', 'adapter_model.safetensors'])
  })
})
