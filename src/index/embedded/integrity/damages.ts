import type { Problem } from '../database/checked-rows.ts'
import type { EngineNotice } from '../notice.ts'

/** Documents of which each is said by itself; of more, only that there are more. */
const SAID_MAX = 100

export interface DamagesOptions {
  notice: (notice: EngineNotice) => void
  /** Takes a document out of everything that answers are made from. */
  leaveOut: (document: number) => void
  /** Ids of documents that a rebuild of the database could not keep. */
  lost: Iterable<string>
}

/** Which stored documents were found damaged or are lost: never answered with, and each said once. */
export class Damages {
  readonly #options: DamagesOptions
  readonly #documents = new Map<number, Problem>()

  readonly #lost: Set<string>

  constructor(options: DamagesOptions) {
    this.#options = options
    this.#lost = new Set(options.lost)
    this.#sayLost()
  }

  /** Documents. */
  get size(): number {
    return this.#documents.size + this.#lost.size
  }

  /** Whether some could not be read at all, so that more than these documents is damaged. */
  get unreadable(): boolean {
    return [...this.#documents.values()].some((problem) => problem.endsWith('cannot be read'))
  }

  isLost(id: string): boolean {
    return this.#lost.has(id)
  }

  has(document: number): boolean {
    return this.#documents.has(document)
  }

  /** From now on the document is in no answer. */
  found(document: number, problem: Problem): void {
    if (this.#documents.has(document)) return
    this.#documents.set(document, problem)
    this.#options.leaveOut(document)
    const said = this.#documents.size
    if (said > SAID_MAX + 1) return
    const facts = { label: document, reason: problem }
    this.#options.notice(
      said <= SAID_MAX
        ? {
            level: 'error',
            kind: 'document-damaged',
            message: `document ${document} is damaged on the disk (${problem}) and left out of answers; store it again or delete it; \`llara-serve verify\` names it`,
            facts,
          }
        : {
            level: 'error',
            kind: 'documents-damaged',
            message: `more than ${SAID_MAX} documents are damaged on the disk and left out of answers; \`llara-serve verify\` names them`,
            facts: { said: SAID_MAX },
          },
    )
  }

  /** The document has been deleted or replaced. */
  gone(document: number): void {
    this.#documents.delete(document)
  }

  /** A lost document has been deleted or stored again. */
  settled(id: string): void {
    this.#lost.delete(id)
  }

  /** The database has been rebuilt without the documents that were damaged. */
  rebuilt(lost: Iterable<string>): void {
    this.#documents.clear()
    this.#lost.clear()
    for (const id of lost) this.#lost.add(id)
    this.#sayLost()
  }

  #sayLost(): void {
    const documents = this.#lost.size
    if (documents === 0) return
    this.#options.notice({
      level: 'error',
      kind: 'documents-lost',
      message: `${documents} documents were lost when the damaged database was rebuilt; store them again or delete them; \`llara-serve verify\` names them`,
      facts: { documents },
    })
  }
}
