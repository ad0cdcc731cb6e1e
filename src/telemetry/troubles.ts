import type { ServiceError } from '../errors.ts'

interface Log {
  error(facts: object, message: string): void
  info(facts: object, message: string): void
}

/** What is wrong with a running service, each logged when it comes and when it goes. */
export class Troubles {
  readonly #open = new Map<string, { what: object; trouble: ServiceError; isMinor: boolean }>()

  /**
   * @param what names the part, for the log
   * @param trouble none when it is over
   * @param over what to say then
   * @param isMinor the service is ready all the same
   */
  set(log: Log, what: object, trouble: ServiceError | undefined, over: string, isMinor = false): void {
    const key = JSON.stringify(what)
    if (trouble) {
      this.#open.set(key, { what, trouble, isMinor })
      log.error({ code: trouble.code, ...what }, trouble.message)
    } else if (this.#open.delete(key)) log.info(what, over)
  }

  /** Threads that the service does without. */
  get missingThreads(): string[] {
    return Array.from(this.#open.values(), ({ what, isMinor }) =>
      isMinor && 'thread' in what ? [String(what.thread)] : [],
    ).flat()
  }

  /** @throws ServiceError the first of them */
  check(): void {
    for (const { trouble, isMinor } of this.#open.values()) if (!isMinor) throw trouble
  }
}
