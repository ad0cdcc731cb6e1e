import { workerData } from 'node:worker_threads'
import { type Emit, serveWorker } from '../../../worker/serve.ts'
import type { Verification, VerificationReport } from '../../verification.ts'
import { storeError } from '../database/connection.ts'
import { collectionsIn } from '../database/data-folder.ts'
import { damagedRecords } from '../records/record-files.ts'
import { findingsOf } from './findings.ts'
import { countDocuments, inspectServed } from './inspect-served.ts'

export interface VerificationData {
  dataDir: string
}

interface Events {
  progress: { checked: number; total: number }
}

/** Documents between two words about progress. */
const SAID_AFTER = 1000

async function start(emit: Emit<Events>) {
  const { dataDir } = workerData as VerificationData
  return {
    ready: undefined,
    methods: {
      verify: (_call: object, signal: AbortSignal) =>
        verify(dataDir, (checked, total) => emit('progress', { checked, total }), signal).catch((error) => {
          throw storeError(error)
        }),
      close: () => {},
    },
  }
}

async function verify(
  dataDir: string,
  onProgress: (checked: number, total: number) => void,
  signal: AbortSignal,
): Promise<VerificationReport> {
  const names = collectionsIn(dataDir)
  const total = names.reduce((sum, name) => sum + countDocuments(dataDir, name), 0)
  let checked = 0
  const onDocument = () => {
    if (++checked % SAID_AFTER === 0) onProgress(checked, total)
  }
  const collections: Verification[] = []
  for (const collection of names) {
    const inspection = await inspectServed(dataDir, collection, onDocument, signal)
    if (!inspection) continue
    const { documents = 0, passages = 0 } = inspection.rows ?? {}
    collections.push({ collection, documents, passages, findings: findingsOf(inspection) })
    onProgress(checked, total)
  }
  return { collections, records: damagedRecords(dataDir) }
}

export type VerificationWorker = Awaited<ReturnType<typeof start>> & { events: Events }

await serveWorker<VerificationWorker>(start)
