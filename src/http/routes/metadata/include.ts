import { Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import { DOCUMENT_FIELDS } from '../../../index/document.ts'
import type { IncludeName } from '../vectors/stored-vectors.ts'

const NAMES: readonly IncludeName[] = [...DOCUMENT_FIELDS, 'vector']

/** In an address, which fields of a document an answer has. */
export const IncludeQuery = Type.Optional(
  Type.String({
    description: `Fields to return beside \`id\`, separated by commas: ${NAMES.join(', ')}. Default: all but vector; empty: none.`,
    examples: ['title,metadata'],
  }),
)

/** @throws ServiceError INVALID_INPUT */
export function includeOf(text: string | undefined): IncludeName[] | undefined {
  if (text === undefined) return undefined
  const names = text === '' ? [] : text.split(',')
  return names.map((name) => {
    const field = NAMES.find((known) => known === name)
    if (field) return field
    const message = `include must be names out of ${NAMES.join(', ')}, separated by commas.`
    throw new ServiceError('INVALID_INPUT', message, { field: 'include' })
  })
}
