/** The name that was probably meant: the nearest one, if few letters differ. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: name.startsWith(given) ? 1 : distance(given, name) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.max(1, Math.floor(given.length / 3)) ? best.name : undefined
}

/** Letters to insert, delete or replace (Levenshtein). */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...left].entries()) {
    const next = [i + 1]
    for (let j = 0; j < right.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === right[j] ? 0 : 1)))
    }
    row = next
  }
  return row[right.length]!
}
