/** One option of a command: how its text becomes a value, and what the help says about it. */
export interface Option<T> {
  /** Stands for the value in the help, such as FOLDER; absent for a switch, which takes none. */
  readonly placeholder?: string
  /** A phrase or sentences; wrapped by the help. */
  readonly doc: string
  /** Heading of the help that it stands under. */
  readonly group?: string
  readonly required?: boolean
  /** Another option that must be given too, by its key. */
  readonly needs?: string
  /** Options that this one does not go with, by their keys. */
  readonly excludes?: readonly string[]
  readonly fallback: T
  /** @throws Error whose message completes "--name " */
  parse(text: string): T
}

/** Options by key; `maxBodyTokens` is `--max-body-tokens`. */
export type Options = Readonly<Record<string, Option<unknown>>>

type ValueOf<O> = O extends Option<infer T> ? T : never
type Absent<O> = { [Key in keyof O]: undefined extends ValueOf<O[Key]> ? Key : never }[keyof O]

/** What a command is given: an option without a default is absent where the user did not give it. */
export type Given<O> = { [Key in Exclude<keyof O, Absent<O>>]: ValueOf<O[Key]> } & {
  [Key in Absent<O>]?: Exclude<ValueOf<O[Key]>, undefined>
}

/** A switch: false unless given. */
export function flag(doc: string) {
  return { doc, fallback: false, parse: () => true } satisfies Option<boolean>
}

export function text(placeholder: string, doc: string): Option<string | undefined> {
  const parse = (value: string) => {
    if (value.trim() === '') throw new Error('is empty.')
    return value
  }
  return { placeholder, doc, fallback: undefined, parse }
}

/** One of a few names. */
export function choice<const T extends string>(
  placeholder: string,
  values: readonly T[],
  doc: string,
): Option<T | undefined> {
  const parse = (given: string) => {
    const value = values.find((known) => known === given)
    if (value === undefined) throw new Error(`is ${given}; it can be ${values.join(', ')}.`)
    return value
  }
  return { placeholder, doc, fallback: undefined, parse }
}

/** Several of a few names, with commas between them. */
export function choices<const T extends string>(
  placeholder: string,
  values: readonly T[],
  doc: string,
): Option<readonly T[] | undefined> {
  const one = choice(placeholder, values, doc)
  const parse = (given: string) => [...new Set(given.split(',').map((name) => one.parse(name.trim())!))]
  return { placeholder, doc, fallback: undefined, parse }
}

/** A whole number from `min` to `max`. */
export function wholeNumber(
  placeholder: string,
  [min, max]: readonly [number, number],
  doc: string,
): Option<number | undefined> {
  const parse = (given: string) => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
    if (value >= min && value <= max) return value
    throw new Error(`is ${given}; it must be a whole number from ${min} to ${max}.`)
  }
  return { placeholder, doc, fallback: undefined, parse }
}

/** The option with a value for when it is not given; the help says which. */
export function withDefault<T>(option: Option<T>, fallback: NonNullable<T>): Option<NonNullable<T>> {
  return { ...(option as Option<NonNullable<T>>), fallback, doc: `${option.doc}; default ${fallback}` }
}

export function required<T>(option: Option<T>): Option<NonNullable<T>> {
  return { ...(option as Option<NonNullable<T>>), required: true }
}

/** Options under a heading of their own. */
export function inGroup<const O extends Options>(group: string, options: O): O {
  const entries = Object.entries(options).map(([key, option]) => [key, { ...option, group }])
  return Object.fromEntries(entries) as O
}

/** `maxBodyTokens` to `--max-body-tokens`. */
export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
