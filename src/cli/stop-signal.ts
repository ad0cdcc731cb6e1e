import { say, type Terminal } from './terminal.ts'

/** Exit code of a process ended by Ctrl-C, as shells have it. */
const INTERRUPTED = 130

/**
 * Work that ends in order at the first Ctrl-C or SIGTERM: its signal is aborted. A second one ends the process.
 * @param announcement what the user reads at the first one
 */
export async function withStopSignal<T>(
  terminal: Terminal,
  announcement: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  const stop = () => {
    if (abort.signal.aborted) process.exit(INTERRUPTED)
    say(terminal.stderr, announcement)
    abort.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    return await work(abort.signal)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
