import { parentPort, workerData } from 'node:worker_threads'
import { connect } from '../database/connection.ts'
import { checkStructure } from './structure.ts'

const { file, quick } = workerData as { file: string; quick: boolean }
const db = connect(file, { readonly: true })
try {
  parentPort?.postMessage(checkStructure(db, { quick }))
} finally {
  db.close()
}
