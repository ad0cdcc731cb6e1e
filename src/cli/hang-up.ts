/**
 * Keeps the process alive when it is hung up on: Node by itself ends it, and a terminal or pipe that is gone makes
 * writing fail. For a service, before its modules are loaded, which takes a while.
 */
export function outliveHangUp(): void {
  process.on('SIGHUP', () => {})
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}
