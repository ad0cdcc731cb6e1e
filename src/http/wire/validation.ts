import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { ServiceError } from '../../errors.ts'
import { type Fault, FaultFinder } from './first-fault.ts'
import { nullRemover } from './nulls.ts'
import { queryValues } from './query-values.ts'

/**
 * Checks requests against their TypeBox schemas. Bodies are taken as they are: nothing is coerced, an unknown field
 * is a fault, and only nulls that mean nothing (nulls.ts) are dropped. Queries are text and are converted first.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const isQuery = httpPart === 'querystring'
  const check = httpPart === 'body' ? compileBodyCheck(schema) : compileCheck(schema)
  return (value: unknown) => {
    const candidate = isQuery ? queryValues(schema, value) : value
    const error = check(candidate)
    return error ? { error } : { value: candidate }
  }
}

/** As `compileCheck`, of a value whose nulls that mean nothing are taken out first. */
export function compileBodyCheck(schema: TSchema): (value: unknown) => ServiceError | undefined {
  const removeNulls = nullRemover(schema)
  const check = compileCheck(schema)
  return (value) => {
    removeNulls?.(value)
    return check(value)
  }
}

/** A function that finds the first fault of a value, or none. */
export function compileCheck(schema: TSchema): (value: unknown) => ServiceError | undefined {
  const finder = new FaultFinder(schema)
  return (value) => {
    const fault = finder.find(value)
    return fault && describe(fault)
  }
}

/** Never repeats a value: it may be somebody's text. */
function describe({ keyword, pointer, message, params }: Fault): ServiceError {
  const field = fieldName(pointer)
  const subject = field === '' ? 'The body' : field
  const say = (text: string) => new ServiceError('INVALID_INPUT', `${subject} ${text}.`, { field })
  switch (keyword) {
    case 'additionalProperties':
      return say(`has unknown fields: ${list(params['additionalProperties'])}`)
    case 'required':
      return say(`lacks ${list(params['requiredProperties'])}`)
    case 'enum':
      return say(`must be one of ${list(params['allowedValues'])}`)
    case 'maxItems':
    case 'maxLength': {
      const limit = Number(params['limit'])
      const unit = keyword === 'maxItems' ? 'items' : 'characters'
      const text = `${subject} has more than ${limit} ${unit}.`
      return new ServiceError('TOO_LARGE', text, { field, limit })
    }
    default:
      return say(message)
  }
}

/** `/documents/3/text` -> `documents[3].text` */
function fieldName(pointer: string): string {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const name = parts.reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), '')
  return name.replace(/^\./, '').slice(0, 200)
}

function list(names: unknown): string {
  return (names as unknown[]).map((name) => String(name).slice(0, 64)).join(', ')
}
