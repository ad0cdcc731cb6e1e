import { ServiceError } from '../../errors.ts'
import { PATH_SEGMENTS_MAX } from '../../index/filter.ts'
import { checkUnicode } from './check-text.ts'

/**
 * A metadata field as requests write it: `a.b\\.c` is the path `a`, `b.c`.
 *
 * @param at where it stands in the request, for messages
 * @throws ServiceError INVALID_INPUT
 */
export function parsePath(field: string, at: string): string[] {
  const segments: string[] = ['']
  for (let i = 0; i < field.length; i++) {
    let char = field[i]!
    if (char === '.') {
      segments.push('')
      continue
    }
    if (char === '\\') {
      char = field[++i] ?? ''
      if (!/^[.$\\]$/.test(char)) {
        throw invalid(at, 'has a stray backslash: write \\\\ for a backslash, \\. for a dot')
      }
    }
    segments[segments.length - 1] += char
  }
  if (segments.includes(''))
    throw invalid(at, 'has an empty part: write \\. for a dot that belongs to a name')
  if (segments.length > PATH_SEGMENTS_MAX) throw invalid(at, `has more than ${PATH_SEGMENTS_MAX} parts`)
  checkUnicode(field, at)
  return segments
}

/** What is wrong with a part of a request, by the place where it stands. */
export function invalid(at: string, problem: string): ServiceError {
  const field = at.length > 200 ? `${at.slice(0, 200)}...` : at
  return new ServiceError('INVALID_INPUT', `${field} ${problem}.`, { field })
}
