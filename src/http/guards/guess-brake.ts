import type { AuthLimits } from '../limits.ts'

const MINUTE_MS = 60_000
const FIRST_BLOCK_MS = 1000
/** Keys remembered of one address as having worked from there. */
const WORKED_MAX = 64

interface Address {
  /** Failures, drained at the rate that is allowed. */
  level: number
  at: number
  /** Blocks one after the other; each is twice as long as the one before. */
  blocks: number
  blockedUntil: number
  forgivenAt: number
  /** Refusals logged in the minute that began then. */
  logged: number
  loggingSince: number
  worked: Set<string>
}

/**
 * Slows down whoever guesses keys: more failures from one address than are allowed a minute, and nothing from there is
 * looked at for a while, except keys that have worked from there. Behind one address of many (a proxy that is not
 * trusted, a NAT) the others thus keep working, and a guesser among them learns no more than which of their keys work.
 */
export class GuessBrake {
  readonly #limits: AuthLimits
  readonly #now: () => number
  /** In the order of their last requests, so that the first is the one to forget. */
  readonly #addresses = new Map<string, Address>()

  constructor(limits: AuthLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#addresses.size
  }

  /** Milliseconds for which the address is blocked; 0 where it is not. */
  blockedMs(address: string): number {
    return Math.max(0, (this.#addresses.get(address)?.blockedUntil ?? 0) - this.#now())
  }

  /** True for a key that has worked from this address. */
  hasWorked(address: string, key: string): boolean {
    return this.#addresses.get(address)?.worked.has(key) ?? false
  }

  worked(address: string, key: string): void {
    const { worked } = this.#address(address)
    worked.delete(key)
    worked.add(key)
    if (worked.size > WORKED_MAX) worked.delete(worked.values().next().value!)
  }

  /** Counts a wrong key. @returns milliseconds for which the address is blocked from now on; 0 where it is not */
  failed(address: string): number {
    const { authFailuresMax, authBlockMsMax } = this.#limits
    const entry = this.#address(address)
    const now = this.#now()
    if (entry.blocks > 0 && now >= entry.forgivenAt) Object.assign(entry, { blocks: 0, level: 0 })
    entry.level = Math.max(0, entry.level - ((now - entry.at) * authFailuresMax) / MINUTE_MS) + 1
    entry.at = now
    if (entry.blocks === 0 && entry.level <= authFailuresMax) return 0
    const blockMs = Math.min(FIRST_BLOCK_MS * 2 ** entry.blocks, authBlockMsMax)
    entry.blocks++
    entry.blockedUntil = now + blockMs
    entry.forgivenAt = entry.blockedUntil + Math.max(MINUTE_MS, blockMs)
    return blockMs
  }

  /** False once an address has had as many refusals logged in a minute as it may have wrong keys: a log has an end. */
  mayLog(address: string): boolean {
    const entry = this.#address(address)
    const now = this.#now()
    if (now - entry.loggingSince >= MINUTE_MS) Object.assign(entry, { logged: 0, loggingSince: now })
    return ++entry.logged <= this.#limits.authFailuresMax
  }

  #address(address: string): Address {
    const now = this.#now()
    const entry = this.#addresses.get(address) ?? {
      level: 0,
      at: now,
      blocks: 0,
      blockedUntil: 0,
      forgivenAt: 0,
      logged: 0,
      loggingSince: now,
      worked: new Set(),
    }
    this.#addresses.delete(address)
    this.#addresses.set(address, entry)
    if (this.#addresses.size > this.#limits.authAddressesMax) {
      this.#addresses.delete(this.#addresses.keys().next().value!)
    }
    return entry
  }
}
