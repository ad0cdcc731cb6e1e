import { join } from 'node:path'
import type { DateFields } from '../../metadata/dates.ts'
import type { CooperativeScheduler } from '../cooperative-scheduler.ts'
import type { RowReader } from '../database/checked-rows.ts'
import { DATABASE } from '../database/data-folder.ts'
import type { LiveConnection } from '../database/live-connection.ts'
import type { WordIndex } from '../lexical/word-index.ts'
import { isAboutWords } from '../lexical/words-damage.ts'
import type { EngineNotice } from '../notice.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { Damages } from './damages.ts'
import { examineDocument, isIndexed } from './examine.ts'
import type { Mender } from './mender.ts'
import { checkStructureApart } from './structure-apart.ts'

const HOUR_MS = 3_600_000

export interface ScrubParts {
  folder: string
  reader: LiveConnection
  rows: RowReader
  table: VectorTable
  dates: DateFields
  damages: Damages
  mender: Mender
  words: WordIndex
  scheduler: CooperativeScheduler
  notice: (notice: EngineNotice) => void
  /** Between the end of one check and the next; 0: none at all. */
  hours: number
  /** The pages need no check the first time. */
  pagesChecked: boolean
}

/** Reads everything that is stored, in the background, again and again: damage shows before somebody asks for it. */
export class Scrub {
  readonly #parts: ScrubParts
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** Checks that came to their end. */
  done = 0

  constructor(parts: ScrubParts) {
    this.#parts = parts
    if (parts.hours > 0) this.#begin()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  #begin(): void {
    const { hours, notice } = this.#parts
    this.#running = this.#check()
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        notice({
          level: 'warn',
          kind: 'check-failed',
          message: 'the check of what is stored could not be finished; it is tried again next time',
          facts: { reason },
        })
      })
      .finally(() => {
        if (this.#stop.signal.aborted) return
        this.#timer = setTimeout(() => this.#begin(), hours * HOUR_MS)
        this.#timer.unref()
      })
  }

  async #check(): Promise<void> {
    const { signal } = this.#stop
    await this.#checkDocuments(signal)
    if (this.done > 0 || !this.#parts.pagesChecked) await this.#checkPages(signal)
    this.done++
  }

  async #checkPages(signal: AbortSignal): Promise<void> {
    const { folder, mender, words } = this.#parts
    const { rebuilds } = mender
    const complaints = await checkStructureApart(join(folder, DATABASE), { quick: true, signal })
    if (mender.rebuilds !== rebuilds) return this.#checkPages(signal)
    const problem = complaints.find((complaint) => !isAboutWords(complaint))
    if (problem !== undefined) mender.suspect(problem)
    else if (complaints.length > 0) words.suspect('it is damaged')
  }

  async #checkDocuments(signal: AbortSignal): Promise<void> {
    const { reader, rows, table, dates, damages, mender, scheduler } = this.#parts
    const slice = scheduler.slice('upkeep', signal)
    // Documents that come later are read when they are first asked for.
    for (const label of table.labels()) {
      await slice.pause()
      const slot = table.slot(label)
      if (slot === undefined || table.document(slot) !== label) continue
      const examined = examineDocument(rows, label, table.dimensions)
      if ('problem' in examined) {
        damages.found(label, examined.problem)
        if (!examined.problem.endsWith('its checksum')) mender.suspect(examined.problem)
      } else if (!isIndexed(reader, rows, examined.row, dates)) {
        mender.suspect('an index does not lead to a document')
      }
    }
  }
}
