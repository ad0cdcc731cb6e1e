import { ERROR_CODES, type ErrorCode, type ErrorDetails, ServiceError } from '../../../errors.ts'

/** A service's problem details (RFC 9457) as an error of the same code. */
export function faultOf(status: number, text: string, what: string): ServiceError {
  let problem: { code?: unknown; detail?: unknown; details?: ErrorDetails } = {}
  try {
    problem = JSON.parse(text) ?? {}
  } catch {
    // Not ours: the status says it.
  }
  const code = ERROR_CODES.find((known) => known === problem.code) ?? codeOf(status)
  const detail = typeof problem.detail === 'string' ? problem.detail : `status ${status}`
  const remedy = status === 401 || status === 403 ? ' Give a key of scope write with --api-key-file.' : ''
  return new ServiceError(code, `${what}: ${detail}${remedy}`, problem.details ?? {})
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'UNAUTHORIZED'
  if (status === 403) return 'FORBIDDEN'
  if (status === 404) return 'NOT_FOUND'
  return status >= 500 ? 'UNAVAILABLE' : 'INVALID_INPUT'
}
