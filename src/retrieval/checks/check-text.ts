import { ServiceError } from '../../errors.ts'

/** How long a text may be, and what to say of one that is longer. */
export interface TextBound {
  bytesMax: number
  setting: string
  advice: string
}

/** For whatever is embedded and not searched for. */
export function textBound({ textBytesMax }: { textBytesMax: number }): TextBound {
  return { bytesMax: textBytesMax, setting: 'TEXT_BYTES_MAX', advice: 'split it' }
}

/** For the texts of a search: somebody waits for each, so they are short. */
export function queryBound({ queryBytesMax }: { queryBytesMax: number }): TextBound {
  return { bytesMax: queryBytesMax, setting: 'QUERY_BYTES_MAX', advice: 'shorten it' }
}

/** Anything but white space and what Unicode has to be invisible; the braille pattern without dots is as blank. */
const VISIBLE = /[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u

/**
 * A text that can be embedded: something to see in it, well-formed Unicode, within the limit.
 *
 * @param field where it stands in the request, for the message: `documents[3].text`
 * @throws ServiceError INVALID_INPUT, TOO_LARGE
 */
export function checkText(text: string, field: string, { bytesMax, setting, advice }: TextBound): void {
  checkUnicode(text, field)
  // UTF-8 needs at most three bytes for one UTF-16 unit: most texts are cleared without counting.
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax) {
    const message = `${field} is longer than ${bytesMax} bytes (${setting}); ${advice}.`
    throw new ServiceError('TOO_LARGE', message, { field, limit: bytesMax })
  }
  if (!isBlank(text)) return
  const fault = text === '' ? 'is empty' : 'is empty: it has nothing but spaces and invisible characters'
  throw new ServiceError('INVALID_INPUT', `${field} ${fault}.`, { field })
}

/** Whether there is nothing to see in a text: it is empty, or all of it is white space and invisible characters. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text)
}

/** As `checkText`, for each of a list. */
export function checkTexts(texts: readonly string[], field: string, bound: TextBound): void {
  for (const [index, text] of texts.entries()) checkText(text, `${field}[${index}]`, bound)
}

/** @throws ServiceError INVALID_INPUT for a lone surrogate, which UTF-8 cannot carry */
export function checkUnicode(text: string, field: string): void {
  if (text.isWellFormed()) return
  throw new ServiceError('INVALID_INPUT', `${field} is not well-formed Unicode (a lone surrogate).`, {
    field,
  })
}
