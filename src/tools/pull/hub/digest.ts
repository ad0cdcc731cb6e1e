import { createHash, type Hash } from 'node:crypto'

/**
 * What the hub says a file's content is. Large files (LFS, Xet) have the sha256 of their bytes; others their git
 * blob id, which is the sha1 of `blob <size>\0` and the bytes.
 */
export interface ContentId {
  kind: 'sha256' | 'git-sha1'
  /** Hex, lower case. */
  hex: string
}

/** A hash of the kind `id` is, ready for the file's bytes. */
export function startDigest(id: ContentId, size: number): Hash {
  return id.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
}
