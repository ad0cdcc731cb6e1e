import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ServiceError } from '../../../errors.ts'
import type { ImportFile } from './import-file.ts'

const CHUNK_BYTES = 256 * 1024

/** The content of a file, unpacked where it is packed, from some byte of the content on. */
export class FileBytes {
  readonly #file: ImportFile
  /** Of the content, to be passed over. */
  #skip: number
  /** Of the file itself: the next byte to be read. */
  #position: number
  #closed = false

  constructor(file: ImportFile, offset: number) {
    this.#file = file
    this.#skip = file.gzip ? offset : 0
    this.#position = file.gzip ? 0 : offset
  }

  /** How far the file itself has been read, in bytes. */
  get fileBytes(): number {
    return this.#position
  }

  /** @throws ServiceError INVALID_INPUT where the file cannot be read or unpacked */
  async *read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#file.gzip ? this.#unpacked() : this.#chunks()) {
        if (this.#skip < chunk.length) yield chunk.subarray(this.#skip)
        this.#skip = Math.max(0, this.#skip - chunk.length)
      }
    } catch (cause) {
      const { code = 'unknown reason' } = cause as NodeJS.ErrnoException
      const message = code.startsWith('Z_')
        ? `The file cannot be unpacked (${code}): it is no gzip file, or not a whole one. What the job stored before stays.`
        : `The file cannot be read to its end (${code}). What the job stored before stays.`
      throw new ServiceError('INVALID_INPUT', message, { field: 'file' }, cause)
    }
  }

  /** Reads no further; whoever still waits for bytes gets the end. */
  close(): void {
    this.#closed = true
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    while (!this.#closed) {
      const { bytesRead, buffer } = await this.#file.handle.read(
        Buffer.allocUnsafe(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
        this.#position,
      )
      if (bytesRead === 0) return
      this.#position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  #unpacked(): AsyncIterable<Buffer> {
    const packed = Readable.from(this.#chunks(), { objectMode: false, highWaterMark: CHUNK_BYTES })
    // Its errors show where the content is read.
    return pipeline(packed, createGunzip(), () => {})
  }
}
