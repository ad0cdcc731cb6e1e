import { ServiceError } from '../errors.ts'
import { damagedFiles, unlistedWeights } from './check-files.ts'
import { readCardAlone } from './read-card.ts'

export interface ModelFindings {
  /** Of the card; null where it cannot be read. */
  id: string | null
  files: number
  bytes: number
  /** What is wrong, a sentence each; empty where the model is whole. */
  faults: string[]
}

/**
 * Reads every file of a model's folder through, whatever it is for, and compares it with the card.
 * @param onBytes called with how many bytes were read since the last call, and how many there are in all
 */
export async function verifyModel(
  folder: string,
  { signal, onBytes }: { signal?: AbortSignal; onBytes?: (bytes: number, total: number) => void } = {},
): Promise<ModelFindings> {
  try {
    const { id, files } = readCardAlone(folder)
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0)
    const reading = {
      ...(signal && { signal }),
      ...(onBytes && { onBytes: (read: number) => onBytes(read, bytes) }),
    }
    const unlisted = unlistedWeights(folder, files)
    const faults = [...(unlisted ? [unlisted] : []), ...(await damagedFiles(folder, files, reading))]
    return { id, files: Object.keys(files).length, bytes, faults }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return { id: null, files: 0, bytes: 0, faults: [error.message.replace(/\.$/, '')] }
  }
}
