import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Certificate } from '../http/tls.ts'

/** What keeps a certificate and a key from being used together, each by its setting; empty where nothing does. */
export function certificateFaults({ cert, key }: Certificate): string[] {
  if ((cert === '') !== (key === '')) {
    const [given, missing] = cert === '' ? ['TLS_KEY', 'TLS_CERT'] : ['TLS_CERT', 'TLS_KEY']
    return [`${given} needs ${missing} with it`]
  }
  if (cert === '') return []
  const faults: string[] = []
  if (!succeeds(() => new X509Certificate(cert))) {
    faults.push('TLS_CERT must hold a certificate in PEM form (-----BEGIN CERTIFICATE-----)')
  }
  if (!succeeds(() => createPrivateKey(key))) {
    faults.push('TLS_KEY must hold a private key in PEM form, without a passphrase')
  }
  if (faults.length > 0) return faults
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    return ['TLS_KEY is not the key of TLS_CERT, whose first certificate must be that of this service']
  }
  try {
    createSecureContext({ cert, key })
    return []
  } catch (error) {
    return [
      `TLS_CERT and TLS_KEY cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`,
    ]
  }
}

/** Why clients will refuse a certificate that can be used; undefined where there is no such reason. */
export function certificateDoubt({ cert }: Certificate, now = Date.now()): string | undefined {
  const { validFrom, validTo } = new X509Certificate(cert)
  if (now > Date.parse(validTo)) return `the certificate of TLS_CERT expired on ${validTo}.`
  if (now < Date.parse(validFrom)) return `the certificate of TLS_CERT is valid from ${validFrom} only.`
  return undefined
}

function succeeds(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
