/** Aborts at the first Ctrl-C or SIGTERM, so that what was stored is removed; a second one ends the process. */
export function stopSignal(): AbortSignal {
  const abort = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(130)
      console.error('Stopping, and removing what was stored; once more to stop at once.')
      abort.abort()
    })
  }
  return abort.signal
}
