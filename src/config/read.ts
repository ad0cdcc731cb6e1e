import { ServiceError } from '../errors.ts'
import { repeated } from './api-keys.ts'
import { certificateFaults } from './certificate.ts'
import { type Config, SETTINGS, variableName } from './settings.ts'

/**
 * The settings of this process: the environment, checked, defaults filled in. The one reader of the environment.
 * @throws ServiceError INVALID_CONFIG with every fault at once, in the message and as `details.faults`
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const faults: string[] = []
  const entries = Object.entries(SETTINGS).map(([name, setting]) => {
    const variable = variableName(name)
    const value = environment[variable]
    if (value === undefined || value === '') return [name, setting.fallback]
    try {
      return [name, setting.parse(value)]
    } catch (error) {
      faults.push(`${variable} ${(error as Error).message}`)
      return [name, setting.fallback]
    }
  })
  const config = Object.fromEntries(entries) as Config
  const keysFaulty = faults.some((fault) => fault.startsWith('API_KEYS'))
  config.apiKeys = [...config.apiKeys, ...config.apiKeysFile]
  if (!keysFaulty)
    faults.push(...repeated(config.apiKeys).map((fault) => `API_KEYS with API_KEYS_FILE ${fault}`))
  if (!faults.some((fault) => fault.startsWith('TLS_'))) {
    faults.push(...certificateFaults({ cert: config.tlsCert, key: config.tlsKey }))
  }
  faults.push(...misspelt(environment))
  if (!isLoopback(config.host) && config.apiKeys.length === 0 && !config.allowInsecure && !keysFaulty) {
    faults.push(
      `HOST ${config.host} is reachable from other machines: set API_KEYS, or ALLOW_INSECURE=true to run open`,
    )
  }
  if (faults.length > 0) {
    const list = faults.map((fault) => `  - ${fault}`).join('\n')
    throw new ServiceError('INVALID_CONFIG', `The configuration has faults:\n${list}`, { faults })
  }
  return config
}

/**
 * Where scripts find the model hub, and who asks: HF_ENDPOINT and HF_TOKEN, which other programs of the hub read too.
 * The service itself reads neither.
 */
export function readHubSettings(environment: Record<string, string | undefined> = process.env): {
  endpoint?: string
  token?: string
} {
  const endpoint = environment['HF_ENDPOINT']?.trim()
  const token = environment['HF_TOKEN']?.trim()
  return { ...(endpoint && { endpoint }), ...(token && { token }) }
}

/** Defaults of every setting, for tools that need a Config and no environment. */
export function defaultConfig(): Config {
  return readConfig({})
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Variables that look like a slip of the pen. Names carry no prefix, so most unknown variables belong to other
 * programs; one letter away from a name of ours (API_KEY, DATADIR) is taken for a fault rather than ignored,
 * because ignoring API_KEY would leave a service open.
 */
function misspelt(environment: Record<string, string | undefined>): string[] {
  const ours = Object.keys(SETTINGS).map(variableName)
  const known = new Set(ours)
  return Object.keys(environment).flatMap((variable) => {
    if (known.has(variable) || environment[variable] === undefined) return []
    const meant = ours.find((name) => name.includes('_') && isOneEditAway(variable, name))
    return meant ? [`${variable} is not a setting; did you mean ${meant}?`] : []
  })
}

/** True where one insertion, deletion or substitution turns one string into the other. */
function isOneEditAway(left: string, right: string): boolean {
  if (Math.abs(left.length - right.length) > 1) return false
  let start = 0
  while (start < left.length && left[start] === right[start]) start++
  const skipLeft = left.length >= right.length ? 1 : 0
  const skipRight = right.length >= left.length ? 1 : 0
  return left.slice(start + skipLeft) === right.slice(start + skipRight)
}
