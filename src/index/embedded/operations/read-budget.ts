import { ServiceError } from '../../../errors.ts'
import type { DocumentField } from '../../document.ts'
import type { WireDocument, WireFields } from '../wire.ts'

/** How much of documents one answer may hold, so that no answer fills the memory. */
export class ReadBudget {
  readonly #bytesMax: number
  #documents = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Counts a document; false where it is too much. The first one always fits. */
  fits({ text = '', title, metadata = '' }: WireFields): boolean {
    this.#bytes += Buffer.byteLength(text) + Buffer.byteLength(title ?? '') + Buffer.byteLength(metadata)
    return this.#documents++ === 0 || this.#bytes <= this.#bytesMax
  }

  /** Counts what `work` takes only if it comes to a result. */
  async attempt<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
    const [documents, bytes] = [this.#documents, this.#bytes]
    const result = await work()
    if (result === undefined) {
      this.#documents = documents
      this.#bytes = bytes
    }
    return result
  }

  /**
   * The fields that are asked for, counted; undefined where none is.
   * @throws ServiceError TOO_LARGE unless they fit
   */
  take(document: WireDocument, fields: readonly DocumentField[] | undefined): WireFields | undefined {
    if (fields?.length === 0) return undefined
    const asked = fieldsOf(document, fields)
    if (this.fits(asked)) return asked
    const message = `The results hold more than ${this.#bytesMax} bytes of text, titles and metadata (ANSWER_BYTES_MAX); ask for fewer with k, or for fewer fields with include.`
    throw new ServiceError('TOO_LARGE', message, { field: 'k', limit: this.#bytesMax })
  }
}

/** The fields that are asked for, all unless said. */
export function fieldsOf(
  { text, title, metadata }: WireDocument,
  fields: readonly DocumentField[] = ['text', 'title', 'metadata'],
): WireFields {
  return {
    ...(fields.includes('text') && { text }),
    ...(fields.includes('title') && { title }),
    ...(fields.includes('metadata') && { metadata }),
  }
}
