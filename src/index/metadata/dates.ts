const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d)))?$/

/**
 * The instant that a date of RFC 3339 means, as a text that orders by code point as instants do: in UTC, without `Z`, the
 * fraction without zeros at its end. A date alone is its midnight in UTC.
 *
 * @returns undefined where the text is no such date, or one outside of the years 0000 to 9999 in UTC
 */
export function instantOf(text: string): string | undefined {
  const match = DATE.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0))
  const [offsetHours, offsetMinutes] = match.slice(9, 11).map((digits) => Number(digits ?? 0))
  if (hour! > 23 || minute! > 59 || second! > 60 || offsetHours! > 23 || offsetMinutes! > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  // The 31st of April would be the first of May.
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day!) return undefined
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHours! * 60 + offsetMinutes!)
  date.setUTCHours(hour!, minute! - offset, Math.min(second!, 59))
  const whole = /^\d{4}-.{14}/.exec(date.toISOString())?.[0]
  // A leap second is the last of a day in UTC.
  if (!whole || (second === 60 && !whole.endsWith('23:59:59'))) return undefined
  const fraction = (match[7] ?? '').replace(/0+$/, '')
  return `${second === 60 ? `${whole.slice(0, -2)}60` : whole}${fraction && `.${fraction}`}`
}

/** An instant as a date of RFC 3339. */
export function dateOf(instant: string): string {
  return `${instant}Z`
}

/** The metadata fields of a collection whose strings are dates. */
export class DateFields {
  readonly #paths: ReadonlySet<string>

  /** @param fields as filters write them */
  constructor(fields: readonly string[]) {
    this.#paths = new Set(fields.map((field) => JSON.stringify(pathOf(field))))
  }

  has(path: readonly string[]): boolean {
    return this.#paths.size > 0 && this.#paths.has(JSON.stringify(path))
  }
}

export const NO_DATES = new DateFields([])

/** The parts of a field's name as filters write it; nothing is checked. */
function pathOf(field: string): string[] {
  const parts = field.match(/(?:\\.|[^.\\])+/gsu) ?? []
  return parts.map((part) => part.replace(/\\(.)/gsu, '$1'))
}
