import { ServiceError } from '../../../errors.ts'
import type { Passage, Span } from '../../document.ts'
import type { Checked, Problem, RowReader } from '../database/checked-rows.ts'
import type { DocumentRow } from '../database/checksum.ts'
import type { VectorTable } from '../vectors/vector-table.ts'
import type { WireDocument } from '../wire.ts'
import type { Damages } from './damages.ts'
import type { Mender } from './mender.ts'

/** Where a passage stands among those of its document, and in the text. */
export interface FoundPassage extends Span {
  ordinal: number
}

export interface StoredDocumentsParts {
  table: VectorTable
  rows: RowReader
  damages: Damages
  mender: Mender
}

/**
 * Reads documents for answers: whole ones only. One that is found damaged is left out of every answer from then on, so
 * that a search which met it begins again without it.
 */
export class StoredDocuments {
  readonly #parts: StoredDocumentsParts

  constructor(parts: StoredDocumentsParts) {
    this.#parts = parts
  }

  /** Undefined where it is gone or damaged. */
  byKey(document: number): WireDocument | undefined {
    const found = this.#whole(document)
    if (!found) return undefined
    const { id, title, text, metadata } = found
    return { id, title, text, metadata }
  }

  /** @throws ServiceError DOCUMENT_DAMAGED */
  byId(id: string): WireDocument | undefined {
    const document = this.#keyOf(id)
    if (document === undefined) return undefined
    const found = this.byKey(document)
    if (!found) throw damaged()
    this.#checkIndex(id, found)
    return found
  }

  /** @throws ServiceError DOCUMENT_DAMAGED */
  passagesOf(id: string): Passage[] | undefined {
    const { table } = this.#parts
    const document = this.#keyOf(id)
    if (document === undefined) return undefined
    const found = this.byKey(document)
    if (!found) throw damaged()
    this.#checkIndex(id, found)
    return table.labelsOf(document).map((label) => {
      const passage = this.passage(label, document)
      if (!passage) throw damaged()
      const { start, end } = passage
      return { span: { start, end }, vector: table.vector(table.slot(label)!).slice() }
    })
  }

  /** Undefined where it is gone or damaged. */
  passage(label: number, document: number): FoundPassage | undefined {
    const found = this.#parts.rows.passage(label)
    if (found && 'row' in found && found.row.document === document) {
      const { ordinal, start, end } = found.row
      return { ordinal, start, end }
    }
    // What the table has is committed: where its row is not found, that row is lost.
    if (this.#parts.table.has(label)) {
      this.#parts.damages.found(
        document,
        found && 'problem' in found ? found.problem : 'a passage is missing',
      )
    }
    return undefined
  }

  #keyOf(id: string): number | undefined {
    const { rows, damages } = this.#parts
    if (damages.isLost(id)) throw damaged()
    return rows.keyOf(id)
  }

  #whole(document: number): DocumentRow | undefined {
    const { rows, table, damages } = this.#parts
    if (damages.has(document)) return undefined
    const found: Checked<DocumentRow> = rows.document(document)
    if (found && 'problem' in found) this.#found(document, found.problem)
    else if (!found && table.has(document)) this.#found(document, 'its row is missing')
    else if (found && table.labelsOf(document).length !== found.row.passages) {
      this.#found(document, 'a passage is missing')
    } else return found?.row
    return undefined
  }

  /** Unless it is damage of the file beyond this document, only the document is left out. */
  #found(document: number, problem: Problem): void {
    const { damages, mender } = this.#parts
    damages.found(document, problem)
    if (!problem.endsWith('its checksum')) mender.suspect(problem)
  }

  #checkIndex(id: string, found: WireDocument): void {
    if (found.id === id) return
    this.#parts.mender.suspect('the index on ids leads to another document')
    throw damaged()
  }
}

function damaged(): ServiceError {
  return new ServiceError(
    'DOCUMENT_DAMAGED',
    'This document is damaged on the disk and is not served. Store it again, or delete it.',
  )
}
