import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { DOCUMENT_FIELDS, type DocumentField } from '../../../index/document.ts'

/** In an address, which fields of a document an answer has. */
export const IncludeQuery = Type.Optional(
  Type.String({
    description: `Fields to return beside \`id\`, separated by commas: ${DOCUMENT_FIELDS.join(', ')}. Default: all; empty: none.`,
    examples: ['title,metadata'],
  }),
)

/** @throws ServiceError INVALID_INPUT */
export function includeOf(text: string | undefined): DocumentField[] | undefined {
  if (text === undefined) return undefined
  const names = text === '' ? [] : text.split(',')
  return names.map((name) => {
    const field = DOCUMENT_FIELDS.find((known) => known === name)
    if (field) return field
    const message = `include must be names out of ${DOCUMENT_FIELDS.join(', ')}, separated by commas.`
    throw new ServiceError('INVALID_INPUT', message, { field: 'include' })
  })
}
