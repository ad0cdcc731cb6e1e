/** Causes followed, and characters of each message and stack kept: a log line stays a line. */
const CAUSES_MAX = 8
const CHARS_MAX = 4000

/** One link of a chain of causes, as plain data that crosses threads. */
export interface Cause {
  name: string
  message: string
  code?: string
  stack?: string
}

/** What was thrown and what it says caused it, outermost first; empty for undefined. Circular chains are cut. */
export function causeChain(thrown: unknown): Cause[] {
  const chain: Cause[] = []
  const seen = new Set<unknown>()
  let next = thrown
  while (next !== undefined && next !== null && !seen.has(next) && chain.length < CAUSES_MAX) {
    seen.add(next)
    chain.push(causeOf(next))
    // Of an AggregateError, which seldom has a cause, the first of its errors.
    next = property(next, 'cause') ?? property(property(next, 'errors'), '0')
  }
  return chain
}

/** Errors with the names, messages, stacks and codes of a chain, each the cause of the one before. */
export function fromCauseChain(chain: readonly Cause[]): Error | undefined {
  return chain.reduceRight<Error | undefined>((cause, { name, message, code, stack }) => {
    const error = new Error(message, cause && { cause })
    const own = { name, stack: stack ?? `${name}: ${message}`, ...(code !== undefined && { code }) }
    for (const [key, value] of Object.entries(own)) {
      Object.defineProperty(error, key, {
        value,
        configurable: true,
        writable: true,
        enumerable: key === 'code',
      })
    }
    return error
  }, undefined)
}

/** The whole chain with its stacks, for a log. */
export function causeText(thrown: unknown): string {
  return causeChain(thrown)
    .map((cause) => cause.stack ?? titleOf(cause))
    .join('\nCaused by: ')
}

/** The chain's names, codes and messages, on one line. */
export function causeLine(thrown: unknown): string {
  return causeChain(thrown)
    .map((cause) => titleOf(cause).replace(/\s+/g, ' '))
    .join('; caused by ')
}

/** `TypeError [ERR_CODE]: message` */
function titleOf({ name, code, message }: Cause): string {
  return `${name}${code === undefined ? '' : ` [${code}]`}: ${message}`
}

/** Objects that are no errors are not written out: they may hold what no log should. */
function causeOf(thrown: unknown): Cause {
  if (typeof thrown !== 'object' && typeof thrown !== 'function') {
    return { name: `a thrown ${typeof thrown}`, message: String(thrown).slice(0, CHARS_MAX) }
  }
  const [name, message, code, stack] = ['name', 'message', 'code', 'stack'].map((key) => {
    const value = property(thrown, key)
    return typeof value === 'string' ? value.slice(0, CHARS_MAX) : undefined
  })
  return {
    name: name || `a thrown ${typeof thrown}`,
    message: message ?? 'it has no message',
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack }),
  }
}

/** Undefined where there is no such property, or where reading it throws. */
function property(from: unknown, key: string): unknown {
  try {
    return (from as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}
