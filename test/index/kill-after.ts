import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** Kills a command once it has `begun` and some time has passed. @returns whether it was still running */
export async function killAfter(child: ChildProcess, begun: () => boolean, ms: number): Promise<boolean> {
  const exited = once(child, 'exit')
  while (child.exitCode === null && !begun()) await sleep(1)
  await sleep(ms)
  child.kill('SIGKILL')
  return (await exited)[1] === 'SIGKILL'
}
