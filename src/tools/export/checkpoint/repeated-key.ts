/**
 * The first key that stands twice in one object of a JSON text; JSON.parse silently keeps the last. Keys that JSON
 * spells differently (`"a"`, `"\u0061"`) are equal.
 * @param json a text that JSON.parse takes
 */
export function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = []
  const tokens = /[{}]|("(?:[^"\\]|\\.)*")\s*(:)?/gs
  for (const [token, text, colon] of json.matchAll(tokens)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (colon) {
      const key = JSON.parse(text!) as string
      const keys = open.at(-1)!
      if (keys.has(key)) return key
      keys.add(key)
    }
  }
  return undefined
}
