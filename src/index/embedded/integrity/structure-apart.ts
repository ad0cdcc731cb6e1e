import { once } from 'node:events'
import { spawnWorker } from '../../../worker/spawn.ts'

/** `checkStructure` in a thread and a connection of its own, which others need not wait for. */
export async function checkStructureApart(
  file: string,
  { quick = false, signal }: { quick?: boolean; signal?: AbortSignal } = {},
): Promise<string[]> {
  const worker = spawnWorker(
    new URL('./structure-worker.ts', import.meta.url),
    { file, quick },
    import.meta.url,
  )
  try {
    const [complaints] = (await once(worker, 'message', { signal })) as [string[]]
    return complaints
  } finally {
    await worker.terminate()
  }
}
