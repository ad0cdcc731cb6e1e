import { ServiceError } from '../../../errors.ts'
import { WorkerClient } from '../../../worker/client.ts'
import { spawnWorker } from '../../../worker/spawn.ts'
import type { VerificationReport, VerifyOptions } from '../../verification.ts'
import type { VerificationData, VerificationWorker } from './worker.ts'

/**
 * Checks everything in a data folder that this process holds, in a thread of its own.
 *
 * @throws ServiceError ABORTED at once when the signal fires; the thread ends when SQLite's own check of the pages, which
 *   cannot be broken off, has ended
 */
export async function verifyServed(
  dataDir: string,
  { signal, onProgress }: VerifyOptions,
): Promise<VerificationReport> {
  const data: VerificationData = { dataDir }
  const worker = spawnWorker(new URL('./worker.ts', import.meta.url), data, import.meta.url)
  const client = new WorkerClient<VerificationWorker>(worker, 'The check')
  client.on('progress', ({ checked, total }) => onProgress?.(checked, total))
  try {
    const work = client.ready().then(() => client.call('verify', {}, { signal }))
    return await orAborted(work, signal)
  } finally {
    void client.close().catch(() => {})
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new ServiceError('ABORTED', 'The check was abandoned.'))
    if (signal?.aborted) abort()
  })
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
