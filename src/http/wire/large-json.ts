import { turn } from '../../turns.ts'
import { decodeJson, JSON_DEPTH_MAX, JsonFault, ListFault, parseIJson } from './i-json.ts'
import { endOfString } from './json-scan.ts'

/** Characters parsed at once: about a millisecond, whatever they are. */
const PIECE_CHARS = 16_384
/** Fields of one object: no route knows what to do with more, and looking at them all takes long. */
const FIELDS_MAX = 10_000
/** Items of a list that has no limit of its own; no such limit is higher. */
const ITEMS_MAX = 100_000

/** How many items lists may have, by their field in the outermost object. */
export type ItemsMax = ReadonlyMap<string, number>

/**
 * As `parseIJson`, but a long text is parsed in pieces between which others have their turn of the event loop. The
 * value and the faults are the same, with two more: an object of more than FIELDS_MAX fields and a list over its limit,
 * which are refused without reading on.
 *
 * @throws JsonFault
 */
export async function parseLargeJson(
  source: Uint8Array,
  subject: string,
  itemsMax: ItemsMax = new Map(),
): Promise<unknown> {
  if (source.length <= PIECE_CHARS) return parseIJson(source, subject)
  // Of several large ones that are whole at the same moment, one is begun in each turn.
  await turn()
  const text = decodeJson(source, subject)
  // Decoding in pieces holds the loop longer in the end: they would have to be put together, and are garbage then.
  await turn()
  return new PieceParser(text, subject, itemsMax).parse()
}

/** A list or an object that is too long for one piece. */
interface Frame {
  closer: ']' | '}'
  list: unknown[]
  object: Record<string, unknown>
  fields: number
  /** Items that it may have, if it is a list. */
  itemsMax: number
  /** Its name in messages. */
  path: string
  /** Where its members begin that have not been parsed. */
  from: number
  /** Behind its last comma. */
  member: number
  /** What stands before `from` is a value that has been taken: only a comma or the end may follow. */
  taken: boolean
}

/** A list or an object that has been begun, and may still fit into a piece. */
interface Begun {
  at: number
  /** Behind its last comma, or behind its bracket. */
  member: number
}

class PieceParser {
  readonly #text: string
  readonly #subject: string
  readonly #itemsMax: ItemsMax
  /** From the outermost. */
  readonly #frames: Frame[] = []
  /** Inside the innermost frame. */
  readonly #begun: Begun[] = []

  constructor(text: string, subject: string, itemsMax: ItemsMax) {
    this.#text = text
    this.#subject = subject
    this.#itemsMax = itemsMax
  }

  async parse(): Promise<unknown> {
    const text = this.#text
    const start = text.search(/[^ \t\r\n]/)
    if (text[start] !== '[' && text[start] !== '{') return parseIJson(text, this.#subject)
    const root = this.#open(start, '')
    let pause = start + PIECE_CHARS
    for (let i = start + 1; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code === 0x22) i = endOfString(text, i)
      else if (code === 0x2c) this.#comma(i)
      else if (code === 0x5b || code === 0x7b) this.#begin(i)
      else if ((code === 0x5d || code === 0x7d) && this.#end(i)) {
        if (/[^ \t\r\n]/.test(text.slice(i + 1))) throw this.#invalid()
        return contentOf(root)
      }
      if (i < pause) continue
      this.#openLong(i)
      pause = i + PIECE_CHARS
      const others = turn()
      if (others) await others
    }
    throw this.#invalid()
  }

  #open(at: number, path: string): Frame {
    const closer = this.#text[at] === '[' ? ']' : '}'
    const from = at + 1
    const itemsMax = this.#itemsMax.get(path) ?? ITEMS_MAX
    const empty = { list: [], object: {}, fields: 0, itemsMax, taken: false }
    const frame: Frame = { ...empty, closer, path, from, member: from }
    this.#frames.push(frame)
    return frame
  }

  #begin(at: number): void {
    this.#begun.push({ at, member: at + 1 })
    if (this.#frames.length + this.#begun.length <= JSON_DEPTH_MAX) return
    const message = `${this.#subject} is nested deeper than ${JSON_DEPTH_MAX} levels; flatten it.`
    throw new JsonFault('content', message)
  }

  #comma(at: number): void {
    const begun = this.#begun.at(-1)
    if (begun) {
      begun.member = at + 1
      return
    }
    const frame = this.#frames.at(-1)!
    frame.member = at + 1
    if (frame.taken || at - frame.from >= PIECE_CHARS) this.#take(frame, at, at + 1)
  }

  /** @returns whether this is the end of the whole */
  #end(at: number): boolean {
    if (this.#begun.pop()) return false
    const frame = this.#frames.at(-1)!
    if (this.#text[at] !== frame.closer) throw this.#invalid()
    const empty = frame.fields === 0 && !frame.taken && isBlank(this.#text.slice(frame.from, at))
    if (!empty) this.#take(frame, at, at)
    this.#frames.pop()
    const parent = this.#frames.at(-1)
    if (!parent) return true
    parent.from = at + 1
    parent.taken = true
    return false
  }

  /** What has been begun and is too long for the piece that it stands in becomes a frame of its own. */
  #openLong(at: number): void {
    let frame = this.#frames.at(-1)!
    while (at - frame.from >= PIECE_CHARS && this.#begun.length > 0) {
      const { at: start, member } = this.#begun.shift()!
      if (frame.member > frame.from) this.#take(frame, frame.member - 1, frame.member)
      frame = this.#child(frame, start)
      frame.member = member
    }
    if (this.#begun.length === 0 && frame.member > frame.from && at - frame.from >= PIECE_CHARS) {
      this.#take(frame, frame.member - 1, frame.member)
    }
  }

  /** Begins the list or object at `start`, a member of `frame`, of which everything before it has been taken. */
  #child(frame: Frame, start: number): Frame {
    const before = this.#text.slice(frame.from, start)
    if (frame.taken || (frame.closer === ']' && !isBlank(before))) throw this.#invalid()
    if (frame.closer === ']') {
      const child = this.#open(start, `${frame.path}[${frame.fields++}]`)
      frame.list.push(contentOf(child))
      this.#checkItems(frame)
      return child
    }
    // Its key, as an object by itself.
    const [key] = Object.keys(parseIJson(`{${before}{}}`, this.#subject) as object) as [string]
    const child = this.#open(start, `${frame.path}${frame.path && '.'}${key}`)
    this.#set(frame, key, contentOf(child))
    return child
  }

  /** Parses the members up to `to` into their frame; the next ones begin at `next`. */
  #take(frame: Frame, to: number, next: number): void {
    const piece = this.#text.slice(frame.from, to)
    frame.from = next
    if (frame.taken) {
      frame.taken = false
      if (isBlank(piece)) return
      throw this.#invalid()
    }
    if (isBlank(piece)) throw this.#invalid()
    if (frame.closer === ']') {
      const items = this.#parsePiece(`[${piece}]`, frame) as unknown[]
      for (const item of items) frame.list.push(item)
      frame.fields += items.length
      this.#checkItems(frame)
      return
    }
    const fields = this.#parsePiece(`{${piece}}`, frame) as Record<string, unknown>
    for (const key of Object.keys(fields)) this.#set(frame, key, fields[key])
  }

  #set(frame: Frame, key: string, value: unknown): void {
    const name = frame.path || this.#subject
    if (Object.hasOwn(frame.object, key)) {
      const message = `${this.#subject} has the field ${key.slice(0, 64)} twice in one object; send it once.`
      throw new JsonFault('content', message)
    }
    if (++frame.fields > FIELDS_MAX) {
      throw new JsonFault('content', `${name} has more than ${FIELDS_MAX} fields.`, frame.path)
    }
    // Not by assignment: `__proto__` is a field like any other.
    Object.defineProperty(frame.object, key, { value, enumerable: true, configurable: true, writable: true })
  }

  #checkItems({ fields, itemsMax, path }: Frame): void {
    if (fields <= itemsMax) return
    throw new ListFault(this.#subject, path, itemsMax)
  }

  #parsePiece(piece: string, { path, closer, fields }: Frame): unknown {
    try {
      return parseIJson(piece, this.#subject, path)
    } catch (error) {
      if (!(error instanceof JsonFault) || error.field === '' || closer === '}' || fields === 0) throw error
      // Items of a piece count from 0; those of its list have been counted on.
      const rest = error.field.slice(path.length).replace(/^\[(\d+)\]/, (_, at) => `[${Number(at) + fields}]`)
      const field = `${path}${rest}`
      throw new JsonFault(
        error.kind,
        error.message.replace(error.field, () => field),
        field,
      )
    }
  }

  #invalid(): JsonFault {
    return new JsonFault('syntax', `${this.#subject} is not valid JSON.`)
  }
}

function contentOf({ closer, list, object }: Frame): unknown {
  return closer === ']' ? list : object
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text)
}
