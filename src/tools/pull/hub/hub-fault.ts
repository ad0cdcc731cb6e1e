import { ToolError, type ToolErrorCode } from '../../../cli/tool-error.ts'

/** What the hub, or the way there, answered instead of what was asked for. */
export class HubFault extends ToolError {
  /** The same request may succeed later. */
  readonly retriable: boolean
  /** The hub's own word on when. */
  readonly retryAfterMs: number | undefined

  constructor(code: ToolErrorCode, message: string, retry: boolean, retryAfterMs?: number, cause?: unknown) {
    super(code, message, {}, cause)
    this.retriable = retry
    this.retryAfterMs = retryAfterMs
  }
}

/** Statuses of a hub or a network between that is busy, not of a request that is wrong. */
const RETRIABLE = new Set([408, 425, 429, 500, 502, 503, 504])

/** An answer other than 2xx, in words. @param what was asked for: `BAAI/LLARA-passage` */
export function faultOfResponse(response: Response, what: string, hub: string): HubFault {
  const { status } = response
  const code = response.headers.get('x-error-code')
  if (RETRIABLE.has(status)) {
    const message = `The hub is busy or out of order (status ${status} for ${what}). Try again later.`
    return new HubFault('DOWNLOAD_FAILED', message, true, retryAfterMs(response.headers.get('retry-after')))
  }
  if (code === 'RevisionNotFound') {
    return final('NOT_FOUND', `${what}: the repository exists, but not this revision. Check --revision.`)
  }
  if (code === 'GatedRepo' || status === 403) {
    const message = `${what} is gated. Accept its terms on ${hub} with your account, then pass that account's token (--token-file FILE or HF_TOKEN).`
    return final('ACCESS_DENIED', message)
  }
  if (status === 401) {
    const message = `${what} does not exist or is private. Check the name, or pass a token (--token-file FILE or HF_TOKEN).`
    return final('ACCESS_DENIED', message)
  }
  if (status === 404 || status === 410) {
    return final('NOT_FOUND', `The hub has no ${what}. Check the name and the revision.`)
  }
  return final('DOWNLOAD_FAILED', `The hub answered status ${status} for ${what}.`)
}

/** A connection that could not be made, was cut or fell silent. */
export function faultOfNetwork(error: unknown, hub: string): HubFault {
  if (error instanceof HubFault) return error
  const reason = networkReason(error)
  const final = CERTIFICATE.test(reason)
  const message = `No answer from ${hub} (${reason}). Check the network, or name a mirror (--mirror URL or HF_ENDPOINT).`
  return new HubFault('DOWNLOAD_FAILED', message, !final, undefined, error)
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/

/** fetch hides the reason one or two causes deep. */
function networkReason(error: unknown): string {
  let current: unknown = error
  let reason = 'connection cut'
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    const { code, cause } = current as NodeJS.ErrnoException
    if (typeof code === 'string') return code
    if (current.message) reason = current.message
    current = cause
  }
  return reason
}

/** `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function final(code: ToolErrorCode, message: string): HubFault {
  return new HubFault(code, message, false)
}
