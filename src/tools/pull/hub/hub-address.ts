import { readFile } from 'node:fs/promises'
import { ServiceError } from '../../../errors.ts'
import type { HubAddress } from './hub-fetch.ts'

const HUB = 'https://huggingface.co'
const SILENCE_MS_MAX = 60_000

/**
 * The hub to pull from. A token only goes over an encrypted connection, or to this machine itself.
 * @throws ServiceError INVALID_INPUT; messages never hold the token
 */
export function hubAddress(url = HUB, token?: string, silenceMsMax = SILENCE_MS_MAX): HubAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search || parsed.hash) {
    const message =
      'The hub must be an address such as https://huggingface.co, without a user name or a query.'
    throw new ServiceError('INVALID_INPUT', message)
  }
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(parsed.hostname)
  if (token !== undefined && parsed.protocol === 'http:' && !local) {
    const message = `A token is not sent to ${parsed.host} over plain http; use https.`
    throw new ServiceError('INVALID_INPUT', message)
  }
  if (token !== undefined && !/^[\x21-\x7e]{1,1000}$/.test(token)) {
    throw new ServiceError('INVALID_INPUT', 'The token holds characters that no token has.')
  }
  const trimmed = parsed.href.replace(/\/+$/, '')
  return { url: trimmed, silenceMsMax, ...(token !== undefined && { token }) }
}

/** @throws ServiceError INVALID_INPUT when the file cannot be read or is empty */
export async function readToken(file: string): Promise<string> {
  let text: string
  try {
    text = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw new ServiceError('INVALID_INPUT', `--token-file ${file} cannot be read (${reason}).`)
  }
  if (text === '') throw new ServiceError('INVALID_INPUT', `--token-file ${file} is empty.`)
  return text
}
