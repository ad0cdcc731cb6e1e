import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { diskFault } from '../../disk.ts'
import type { ContentId, RemoteFile } from './hub-client.ts'
import { RESUMED } from './pull-record.ts'

const READ_BYTES = 1 << 20

/** The beginning of a file on disk, hashed as far as it goes. */
export class PartialFile {
  readonly #file: FileHandle
  readonly #hash: Hash
  #size = 0

  private constructor(file: FileHandle, hash: Hash) {
    this.#file = file
    this.#hash = hash
  }

  /**
   * Opens what an earlier pull left at `path`, or an empty file.
   * @param onRead bytes read so far of what was there
   */
  static async open(path: string, remote: RemoteFile, onRead: (bytes: number) => void): Promise<PartialFile> {
    const file = await open(path, 'a+').catch((error: unknown) => {
      throw diskFault(error, { place: path, advice: RESUMED })
    })
    const partial = new PartialFile(file, startDigest(remote.id, remote.size))
    try {
      const { size } = await file.stat()
      // Longer than the whole: not what an earlier pull left.
      if (size > remote.size) await file.truncate(0)
      else if (size > 0) {
        for await (const chunk of createReadStream(path, { end: size - 1, highWaterMark: READ_BYTES })) {
          onRead(partial.#take(chunk as Uint8Array))
        }
      }
      return partial
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Bytes there. */
  get size(): number {
    return this.#size
  }

  /** @throws ToolError DISK_FULL */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, done)
        done += bytesWritten
      }
    } catch (error) {
      throw diskFault(error, { place: 'the checkpoint', advice: RESUMED })
    }
    this.#take(chunk)
  }

  /** Hex digest of all of it. Nothing waits for the disk: the next pull reads and checks everything again. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #take(chunk: Uint8Array): number {
    this.#hash.update(chunk)
    this.#size += chunk.length
    return this.#size
  }
}

/** A hash of the kind `id` is, ready for the file's bytes. */
function startDigest(id: ContentId, size: number): Hash {
  return id.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
}
