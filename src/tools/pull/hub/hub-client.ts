import { dirname } from 'node:path/posix'
import { downloadFile, listFiles, modelInfo } from '@huggingface/hub'
import { faultOfNetwork, HubFault } from './hub-fault.ts'
import { type HubAddress, hubFetch } from './hub-fetch.ts'

/**
 * What the hub says a file's content is. Large files (LFS, Xet) have the sha256 of their bytes; others their git
 * blob id, which is the sha1 of `blob <size>\0` and the bytes.
 */
export interface ContentId {
  kind: 'sha256' | 'git-sha1'
  /** Hex, lower case. */
  hex: string
}

/** A file of a repository at one commit. */
export interface RemoteFile {
  /** Path in the repository; only files at its top are listed. */
  path: string
  /** Bytes. */
  size: number
  id: ContentId
}

interface Resolved {
  /** 40 hex digits. */
  commit: string
  /** What the repository's card says, such as `mit`. */
  licence?: string
}

/**
 * The hub's part of a pull: which commit a revision is, which files it has, and the bytes of one from a place on.
 * The library finds and reads; it is set to plain HTTP, because only that resumes at any byte and passes through
 * every mirror. Nothing is retried here. The token is added in hub-fetch.ts: the library refuses those of mirrors,
 * and would send it to whatever host a listing's next page is on.
 */
export class HubClient {
  readonly #address: HubAddress

  constructor(address: HubAddress) {
    this.#address = address
  }

  /** @throws HubFault NOT_FOUND, ACCESS_DENIED, DOWNLOAD_FAILED */
  async resolve(repository: string, revision: string): Promise<Resolved> {
    const info = await this.#call(`${repository} (revision ${revision})`, (fetch) =>
      modelInfo({
        name: repository,
        revision,
        hubUrl: this.#address.url,
        fetch,
        additionalFields: ['sha', 'cardData'],
      }),
    )
    if (!/^[0-9a-f]{40}$/.test(info.sha ?? '')) throw notAHub(this.#address.url, 'it names no commit')
    const licence = (info.cardData as { license?: unknown } | undefined)?.license
    return { commit: info.sha, ...(typeof licence === 'string' && { licence }) }
  }

  /**
   * The files of the repository's top folder, and of folders in it whose names match.
   * @throws as resolve()
   */
  async list(repository: string, commit: string, folders?: RegExp, folder?: string): Promise<RemoteFile[]> {
    const inside: string[] = []
    const files = await this.#call(repository, async (fetch) => {
      const files: RemoteFile[] = []
      const listing = listFiles({
        repo: model(repository),
        revision: commit,
        hubUrl: this.#address.url,
        fetch,
        ...(folder !== undefined && { path: folder }),
      })
      for await (const { type, path, size, oid, lfs } of listing) {
        if (type === 'directory' && folders?.test(path)) inside.push(path)
        if (type !== 'file' || dirname(path) !== (folder ?? '.')) continue
        const id: ContentId = lfs ? { kind: 'sha256', hex: lfs.oid } : { kind: 'git-sha1', hex: oid ?? '' }
        const file = { path, size: lfs?.size ?? size, id }
        if (!isUsable(file)) throw notAHub(this.#address.url, `it gives no size or checksum for ${path}`)
        files.push(file)
      }
      return files
    })
    for (const name of inside) files.push(...(await this.list(repository, commit, undefined, name)))
    return files
  }

  /**
   * The file's bytes from `start` on, as they come.
   * @throws HubFault, also in the middle: the connection was cut, or fell silent for the address's `silenceMsMax`
   */
  async *read(
    repository: string,
    commit: string,
    file: RemoteFile,
    start: number,
  ): AsyncGenerator<Uint8Array> {
    const what = `${file.path} of ${repository}`
    const { url: hub, silenceMsMax } = this.#address
    const silence = new AbortController()
    const alarm = setTimeout(() => silence.abort(), silenceMsMax)
    // The library reports a failed stream by its message alone: the fault itself is kept here.
    let fault: HubFault | undefined
    let skipped = 0
    const { fetch, ranges } = hubFetch(this.#address, what, {
      signal: silence.signal,
      onFault: (found) => {
        fault = found
      },
    })
    try {
      const url = `${hub}/${repository}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
      const blob = await downloadFile({
        repo: model(repository),
        path: file.path,
        xet: false,
        fetch,
        // What the listing said already; asking again would need a server that knows ranges.
        downloadInfo: { url, size: file.size, etag: file.id.hex },
      })
      const stream = blob!.slice(start, file.size).stream() as unknown as AsyncIterable<Uint8Array>
      for await (const chunk of stream) {
        alarm.refresh()
        // A server that ignores Range sends the file from its beginning.
        const known = ranges.honoured ? 0 : Math.min(start - skipped, chunk.length)
        skipped += known
        if (known < chunk.length) yield chunk.subarray(known)
        alarm.refresh()
      }
    } catch (error) {
      if (silence.signal.aborted) throw silent(silenceMsMax)
      throw fault ?? faultOfNetwork(error, hub)
    } finally {
      clearTimeout(alarm)
      silence.abort()
    }
  }

  /** One call of the library, its failures as faults. */
  async #call<T>(what: string, run: (fetch: typeof globalThis.fetch) => Promise<T>): Promise<T> {
    const { url, silenceMsMax } = this.#address
    const signal = AbortSignal.timeout(silenceMsMax)
    let fault: HubFault | undefined
    const { fetch } = hubFetch(this.#address, what, {
      signal,
      onFault: (found) => {
        fault = found
      },
    })
    try {
      return await run(fetch)
    } catch (error) {
      if (fault || error instanceof HubFault) throw fault ?? error
      if (signal.aborted) throw silent(silenceMsMax)
      if (isCut(error)) throw faultOfNetwork(error, url)
      throw notAHub(url, (error as Error).message)
    }
  }
}

function model(name: string) {
  return { type: 'model', name } as const
}

/** fetch's own word for a body that ended too soon. */
function isCut(error: unknown): boolean {
  return error instanceof TypeError && (error.cause !== undefined || error.message === 'terminated')
}

function isUsable({ size, id }: RemoteFile): boolean {
  const digits = id.kind === 'sha256' ? 64 : 40
  return Number.isSafeInteger(size) && size >= 0 && id.hex.length === digits && /^[0-9a-f]+$/.test(id.hex)
}

function silent(ms: number): HubFault {
  return new HubFault('DOWNLOAD_FAILED', `The hub sent nothing for ${Math.round(ms / 1000)} s.`, true)
}

function notAHub(url: string, reason: string): HubFault {
  const message = `${url} does not answer as a model hub does (${reason}). Check the address (--mirror URL or HF_ENDPOINT).`
  return new HubFault('DOWNLOAD_FAILED', message, false)
}
