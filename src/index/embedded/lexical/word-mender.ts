import { ServiceError } from '../../../errors.ts'
import type { Analysis } from '../../collection-settings.ts'
import type { CooperativeScheduler, Mutex } from '../cooperative-scheduler.ts'
import { isDamage } from '../database/connection.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { Mender } from '../integrity/mender.ts'
import type { StoredDocuments } from '../integrity/stored-documents.ts'
import type { EngineNotice } from '../notice.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import { remakeWords } from './remake-words.ts'

export interface WordMenderParts {
  /** The connection that writes. */
  db: LiveConnection
  stored: StoredDocuments
  table: VectorTable
  analysis: Analysis
  scheduler: CooperativeScheduler
  /** Held while the index is made: writes wait, reads go on. */
  writes: Mutex
  /** Of the whole database, for damage that is not the index's alone. */
  mender: Mender
  notice: (notice: EngineNotice) => void
  /** Brings what is in memory in step with the new index. */
  reload: () => void
}

/** Makes the index of words anew where it is damaged or missing, as often as it takes: nothing is lost with it. */
export class WordMender {
  readonly #parts: WordMenderParts
  #mending: Promise<void> | undefined
  #stopped = false

  constructor(parts: WordMenderParts) {
    this.#parts = parts
  }

  /** Begins in the background. @param problem a phrase for the log */
  suspect(problem: string): void {
    // Whoever needs the index waits for it, and is told.
    void this.mend(problem).catch(() => {})
  }

  /** Resolves when the index is whole. @throws ServiceError STORE_UNUSABLE, ABORTED while the service stops */
  mend(problem: string): Promise<void> {
    this.#mending ??= this.#mend(problem).finally(() => {
      this.#mending = undefined
    })
    return this.#mending
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#mending?.catch(() => {})
  }

  async #mend(problem: string): Promise<void> {
    const { writes, notice, table, reload, mender } = this.#parts
    notice({
      level: 'warn',
      kind: 'words-damaged',
      message: `the index of words cannot be used (${problem}); making it anew from the documents`,
      facts: { reason: problem },
    })
    try {
      await writes.run(() => this.#remake())
    } catch (error) {
      // Its pages themselves: the whole file is then made anew, with the index.
      if (!isDamage(error) || !(await mender.mend('a page of the index of words cannot be used'))) {
        throw this.#failed(error)
      }
    }
    reload()
    const { documents } = table
    notice({
      level: 'info',
      kind: 'words-remade',
      message: `made the index of words anew: ${documents} documents`,
      facts: { documents },
    })
  }

  async #remake(): Promise<void> {
    const { db, stored, table, analysis, scheduler } = this.#parts
    const slice = scheduler.slice('write')
    const documents = table.documentKeys()
    await remakeWords(db, { stored, documents, analysis }, async () => {
      if (this.#stopped) throw new ServiceError('ABORTED', 'The service is stopping.')
      await slice.pause()
    })
  }

  #failed(error: unknown): unknown {
    if (this.#stopped) return error
    const reason = error instanceof Error ? error.message : String(error)
    const message =
      'the index of words could not be made anew, so documents are not found by words and none can be stored; it is tried again with the next such request'
    this.#parts.notice({ level: 'error', kind: 'words-not-remade', message, facts: { reason } })
    if (error instanceof ServiceError) return error
    return new ServiceError(
      'STORE_UNUSABLE',
      'The index of words is damaged and could not be made anew. Check the disk and its free space; search with mode dense meanwhile.',
      {},
      error,
    )
  }
}
