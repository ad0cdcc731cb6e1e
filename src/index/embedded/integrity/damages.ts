import type { Problem } from '../database/checked-rows.ts'
import type { EngineNotice } from '../notice.ts'

/** Documents of which each is said by itself; of more, only that there are more. */
const SAID_MAX = 100

export interface DamagesOptions {
  notice: (notice: EngineNotice) => void
  /** Takes a document out of everything that answers are made from. */
  leaveOut: (document: number) => void
}

/** Which stored documents were found damaged, by their keys: never answered with, and each said once. */
export class Damages {
  readonly #options: DamagesOptions
  readonly #documents = new Map<number, Problem>()

  constructor(options: DamagesOptions) {
    this.#options = options
  }

  /** Documents. */
  get size(): number {
    return this.#documents.size
  }

  has(document: number): boolean {
    return this.#documents.has(document)
  }

  /** From now on the document is in no answer. */
  found(document: number, problem: Problem): void {
    if (this.#documents.has(document)) return
    this.#documents.set(document, problem)
    this.#options.leaveOut(document)
    if (this.size > SAID_MAX + 1) return
    const facts = { label: document, reason: problem }
    this.#options.notice(
      this.size <= SAID_MAX
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
}
