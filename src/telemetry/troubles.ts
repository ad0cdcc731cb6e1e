import type { ServiceError } from '../errors.ts'

interface Log {
  error(facts: object, message: string): void
  info(facts: object, message: string): void
}

/** What keeps a running service from being ready, each logged when it comes and when it goes. */
export class Troubles {
  readonly #open = new Map<string, ServiceError>()

  /**
   * @param what names the part, for the log
   * @param trouble none when it is over
   * @param over what to say then
   */
  set(log: Log, what: object, trouble: ServiceError | undefined, over: string): void {
    const key = JSON.stringify(what)
    if (trouble) {
      this.#open.set(key, trouble)
      log.error({ code: trouble.code, ...what }, trouble.message)
    } else if (this.#open.delete(key)) log.info(what, over)
  }

  /** @throws ServiceError the first of them */
  check(): void {
    for (const trouble of this.#open.values()) throw trouble
  }
}
