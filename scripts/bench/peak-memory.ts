import { readFileSync } from 'node:fs'

/**
 * The most memory this process had resident at once, in bytes. On Linux from its own map: what `getrusage` says
 * includes whatever the parent held when it started this process.
 */
export function peakMemory(): number {
  const fallback = process.resourceUsage().maxRSS
  let kilobytes: string | undefined
  try {
    kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  } catch {
    // Another system.
  }
  return Number(kilobytes ?? fallback) * 1024
}
