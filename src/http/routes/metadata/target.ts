import { type Static, Type } from 'typebox'
import { ServiceError } from '../../../errors.ts'
import type { DocumentIndex } from '../../../index/document-index.ts'
import { dateFieldsOf } from '../../../retrieval/checks/check-dates.ts'
import { parseFilter } from '../../../retrieval/checks/parse-filter.ts'
import type { DocumentsTarget } from '../../../retrieval/documents.ts'
import type { HttpLimits } from '../../limits.ts'
import { FilterSchema, Id } from '../../wire/schemas.ts'

export const TARGET_RULE =
  'Exactly one of `ids`, `filter`, `all`. A filter that matches every document whatever is stored, such as `{}`, is refused: say `all`.'

/** How a request says which documents it is about. @param all what `all` does */
export const targetFields = ({ documentsPerRequestMax }: HttpLimits, all: string) => ({
  ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: documentsPerRequestMax })),
  filter: Type.Optional(FilterSchema),
  all: Type.Optional(Type.Unsafe<true>({ type: 'boolean', enum: [true], description: all })),
})

type TargetFields = Partial<{
  [Field in keyof ReturnType<typeof targetFields>]: Static<ReturnType<typeof targetFields>[Field]> | undefined
}>

/** @throws ServiceError INVALID_INPUT unless the body names exactly one target */
export function targetOf({ ids, filter, all }: TargetFields, { settings }: DocumentIndex): DocumentsTarget {
  const targets: DocumentsTarget[] = []
  if (ids !== undefined) targets.push({ ids })
  if (filter !== undefined) targets.push({ filter: parseFilter(filter, dateFieldsOf(settings)) })
  if (all !== undefined) targets.push({ all })
  const [target] = targets
  if (target && targets.length === 1) return target
  throw new ServiceError('INVALID_INPUT', 'Give exactly one of ids, filter, all.')
}
