import { readFile } from 'node:fs/promises'
import { ToolError } from '../../../cli/tool-error.ts'
import type { HubAddress } from './hub-fetch.ts'

const HUB = 'https://huggingface.co'
const SILENCE_MS_MAX = 60_000

/**
 * The hub to pull from. A token only goes over an encrypted connection, or to this machine itself.
 * @throws ToolError INVALID_USAGE; messages never hold the token
 */
export function hubAddress(url = HUB, token?: string, silenceMsMax = SILENCE_MS_MAX): HubAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search || parsed.hash) {
    const message =
      'The hub (--mirror URL or HF_ENDPOINT) must be an address such as https://huggingface.co, without a user name or a query.'
    throw new ToolError('INVALID_USAGE', message)
  }
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(parsed.hostname)
  if (token !== undefined && parsed.protocol === 'http:' && !local) {
    const message = `A token is not sent to ${parsed.host} over plain http, where others can read it. Use https.`
    throw new ToolError('INVALID_USAGE', message)
  }
  if (token !== undefined && !/^[\x21-\x7e]{1,1000}$/.test(token)) {
    throw new ToolError(
      'INVALID_USAGE',
      'The token (--token-file FILE or HF_TOKEN) has spaces or characters that no token has. Copy it again.',
    )
  }
  const trimmed = parsed.href.replace(/\/+$/, '')
  return { url: trimmed, silenceMsMax, ...(token !== undefined && { token }) }
}

/** @throws ToolError INVALID_USAGE when the file cannot be read or is empty */
export async function readToken(file: string): Promise<string> {
  let text: string
  try {
    text = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw new ToolError('INVALID_USAGE', `--token-file ${file} cannot be read (${reason}).`)
  }
  if (text === '') throw new ToolError('INVALID_USAGE', `--token-file ${file} is empty.`)
  return text
}
