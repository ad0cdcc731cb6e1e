import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { ServiceError } from '../../errors.ts'

interface Fault {
  keyword: string
  instancePath: string
  message: string
  params: Record<string, unknown>
}

/**
 * Checks requests against their TypeBox schemas. Bodies are taken as they are: nothing is coerced, nothing is
 * dropped, an unknown field is a fault. Queries and path parameters are text and are converted first.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = compileCheck(schema)
  return (value: unknown) => {
    const candidate = httpPart === 'body' ? value : Value.Convert(schema, value)
    const error = check(candidate)
    return error ? { error } : { value: candidate }
  }
}

/** A function that finds the first fault of a value, or none. `prefix` names the value in messages. */
export function compileCheck(schema: TSchema): (value: unknown, prefix?: string) => ServiceError | undefined {
  const compiled = Compile(schema)
  return (value, prefix = '') => {
    if (compiled.Check(value)) return undefined
    return describe(compiled.Errors(value) as unknown as Fault[], prefix)
  }
}

/** Never repeats a value: it may be somebody's text. */
function describe(faults: Fault[], prefix: string): ServiceError {
  const unknown = faults.find(({ keyword }) => keyword === 'additionalProperties')
  const fault = unknown ?? faults.find(({ keyword }) => keyword !== 'boolean') ?? faults[0]
  if (!fault) return new ServiceError('INVALID_INPUT', 'The request is not what this route takes.')
  const field = fieldName(fault.instancePath, prefix)
  const subject = field === '' ? 'The body' : field
  const { params } = fault
  const say = (text: string) => new ServiceError('INVALID_INPUT', `${subject} ${text}.`, { field })
  switch (fault.keyword) {
    case 'additionalProperties':
      return say(`has unknown fields: ${list(params['additionalProperties'])}`)
    case 'required':
      return say(`lacks ${list(params['requiredProperties'])}`)
    case 'enum':
      return say(`must be one of ${list(params['allowedValues'])}`)
    case 'maxItems':
    case 'maxLength': {
      const limit = Number(params['limit'])
      const unit = fault.keyword === 'maxItems' ? 'items' : 'characters'
      const message = `${subject} has more than ${limit} ${unit}.`
      return new ServiceError('TOO_LARGE', message, { field, limit })
    }
    default:
      return say(fault.message)
  }
}

/** `/documents/3/text` -> `documents[3].text` */
function fieldName(pointer: string, prefix: string): string {
  const parts = pointer.split('/').slice(1)
  const name = parts.reduce(
    (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`),
    prefix,
  )
  return name.replace(/^\./, '').slice(0, 200)
}

function list(names: unknown): string {
  return (names as unknown[])
    .slice(0, 8)
    .map((name) => String(name).slice(0, 64))
    .join(', ')
}
