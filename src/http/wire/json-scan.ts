const QUOTE = 0x22
const MINUS = 0x2d
const DOT = 0x2e
const LETTER_E = 0x65
const COLON = 0x3a
const BACKSLASH = 0x5c
/** Characters of a number with fewer of them before its exponent are digits that a double keeps. */
const DIGITS_SAFE = 16
/** Characters of a string that are looked at one by one before the rest is searched. */
const NEAR = 48

/** What `JSON.parse` does not say about a text. */
export interface JsonScan {
  /** Objects and lists inside one another, at the deepest place. */
  depth: number
  /** Fields of all objects, repeated ones included. */
  fields: number
  /** The first number beyond 2^53 that a double does not give back as it is written. */
  rounded: number | undefined
}

/** One pass over a JSON text; of a text that is no JSON it gives something, and ends. */
export function scanJson(text: string): JsonScan {
  let open = 0
  let depth = 0
  let fields = 0
  let rounded: number | undefined
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === COLON) fields++
    else if (isOpening(code)) depth = Math.max(depth, ++open)
    else if (isClosing(code)) open--
    else if (code === MINUS || isDigit(code)) {
      let end = endOfDigits(text, i + 1)
      let large = end - i >= DIGITS_SAFE
      if (text.charCodeAt(end) === DOT) end = endOfDigits(text, end + 1)
      if ((text.charCodeAt(end) | 0x20) === LETTER_E) {
        large ||= end - i >= DIGITS_SAFE
        // Its first character may be a sign.
        end = endOfDigits(text, end + 2)
      }
      if (large) rounded ??= roundedNumber(text.slice(i, end))
      i = end - 1
    }
  }
  return { depth, fields, rounded }
}

/** The first key that an object of a JSON text has twice. */
export function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = []
  for (const [token, string, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (string !== undefined && colon !== undefined) {
      const key = JSON.parse(string) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}

/** Index of the quote that ends the string that begins at `start`. */
export function endOfString(text: string, start: number): number {
  let i = start + 1
  for (;;) {
    // Most strings end soon; a long one is left to the faster search, which costs more to begin.
    const near = Math.min(text.length, i + NEAR)
    for (; i < near; i++) {
      const code = text.charCodeAt(i)
      if (code === QUOTE) return i
      if (code === BACKSLASH) i++
    }
    const end = text.indexOf('"', i)
    if (end < 0) return text.length
    let before = end - 1
    while (before >= i && text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
    i = end + 1
  }
}

function endOfDigits(text: string, start: number): number {
  let end = start
  while (isDigit(text.charCodeAt(end))) end++
  return end
}

function roundedNumber(literal: string): number | undefined {
  const value = Number(literal)
  if (!Number.isFinite(value) || Math.abs(value) < 2 ** 53) return undefined
  return digitsOf(literal) === digitsOf(String(value)) ? undefined : value
}

/** The digits that carry the value, the same for every way to write it. */
function digitsOf(literal: string): string {
  const digits = literal.replace(/[eE].*|[-.]/g, '').replace(/^0+/, '')
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** `{` or `[` */
function isOpening(code: number): boolean {
  return (code | 0x20) === 0x7b
}

/** `}` or `]` */
function isClosing(code: number): boolean {
  return (code | 0x20) === 0x7d
}
