import { faultOfNetwork, faultOfResponse, HubFault } from './hub-fault.ts'

/** The hub, or a mirror of it. */
export interface HubAddress {
  /** Without a slash at the end, such as https://huggingface.co. */
  url: string
  token?: string
  /** Longest silence of a connection. */
  silenceMsMax: number
}

interface Watch {
  signal: AbortSignal
  onFault: (fault: HubFault) => void
}

/**
 * fetch as the hub library is given it: adds the token, for the hub's own origin only (fetch itself drops it when a
 * redirect leads elsewhere), asks for bytes as they are, and turns every failure into a HubFault.
 *
 * @returns `ranges.honoured`: whether the last answer began where its Range header asked for
 */
export function hubFetch(address: HubAddress, what: string, { signal, onFault }: Watch) {
  const ranges = { honoured: false }
  const origin = new URL(address.url).origin
  const failed = (fault: HubFault): never => {
    onFault(fault)
    throw fault
  }
  const send = async (input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    headers.set('accept-encoding', 'identity')
    headers.set('user-agent', 'llara-serve')
    const target = new URL(input instanceof Request ? input.url : input)
    if (address.token !== undefined && target.origin === origin) {
      headers.set('authorization', `Bearer ${address.token}`)
    }
    let response: Response
    try {
      response = await fetch(target, { ...init, headers, signal })
    } catch (error) {
      if (signal.aborted) throw error
      return failed(faultOfNetwork(error, target.host))
    }
    if (!response.ok) {
      await response.body?.cancel()
      return failed(faultOfResponse(response, what, address.url))
    }
    const asked = headers.get('range')
    ranges.honoured = response.status === 206
    if (asked && ranges.honoured && !startsAt(response, asked)) {
      await response.body?.cancel()
      return failed(
        new HubFault('DOWNLOAD_FAILED', `The hub sent another part of ${what} than asked for.`, true),
      )
    }
    return response
  }
  return { fetch: send as typeof fetch, ranges }
}

/** `Range: bytes=100-199` against `Content-Range: bytes 100-199/1000`. */
function startsAt(response: Response, range: string): boolean {
  const first = /^bytes=(\d+)-/.exec(range)?.[1]
  return first === /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]
}
