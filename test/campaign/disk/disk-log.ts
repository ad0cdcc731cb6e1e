/** What a service did to its disk, one after the other. */
export type DiskEvent =
  | { type: 'created'; path: string; inode: bigint }
  | { type: 'written'; path: string; inode: bigint; offset: number; data: Uint8Array }
  | { type: 'truncated'; path: string; inode: bigint; length: number }
  | { type: 'synced'; path: string; inode: bigint }
  | { type: 'renamed'; from: string; to: string }
  | { type: 'removed'; path: string }

const HEADER_BYTES = 25

/** The events of recorder.c's log, each with the position where it begins. A cut last record is left out. */
export function* diskEvents(log: Buffer): Generator<{ at: number; event: DiskEvent }> {
  for (let at = 0; at + HEADER_BYTES <= log.length; ) {
    const inode = log.readBigUInt64LE(at + 1)
    const offset = Number(log.readBigUInt64LE(at + 9))
    const pathLength = log.readUInt32LE(at + 17)
    const dataLength = log.readUInt32LE(at + 21)
    const pathEnd = at + HEADER_BYTES + pathLength
    const end = pathEnd + dataLength
    if (end > log.length) return
    const path = log.toString('utf8', at + HEADER_BYTES, pathEnd)
    const data = log.subarray(pathEnd, end)
    yield { at, event: eventOf(String.fromCharCode(log[at]!), { path, inode, offset, data }) }
    at = end
  }
}

function eventOf(
  letter: string,
  { path, inode, offset, data }: { path: string; inode: bigint; offset: number; data: Buffer },
): DiskEvent {
  switch (letter) {
    case 'C':
      return { type: 'created', path, inode }
    case 'W':
      return { type: 'written', path, inode, offset, data }
    case 'T':
      return { type: 'truncated', path, inode, length: offset }
    case 'S':
      return { type: 'synced', path, inode }
    case 'R':
      return { type: 'renamed', from: path, to: data.toString('utf8') }
    case 'D':
      return { type: 'removed', path }
    default:
      throw new Error(`the log of the disk is broken: record ${letter}`)
  }
}
