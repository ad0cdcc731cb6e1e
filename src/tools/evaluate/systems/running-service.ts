import { readFileSync } from 'node:fs'
import { ServiceError } from '../../../errors.ts'
import { ServiceClient } from '../../service-client.ts'
import type { Options } from '../command/options.ts'
import type { BeirSet } from '../judged-set/beir-set.ts'
import type { SearchSystem } from './search-system.ts'
import { serviceSystem } from './service-system.ts'
import { removeSet, type Tag, tagFor } from './stored-set.ts'

/** A running service holding nothing else; what the work stored there is removed again, unless it is to be kept. */
export async function withService<T>(
  url: string,
  set: BeirSet,
  options: Options,
  work: (system: SearchSystem) => Promise<T>,
): Promise<T> {
  const client = new ServiceClient(url, keyFrom(options['api-key-file']))
  const { keep, 'use-existing': useExisting } = options
  const tag = tagFor({ plainIds: keep || useExisting })
  const system = await serviceSystem(client, tag, { useExisting })
  if (useExisting) return work(system)
  const filter = JSON.stringify({ filter: tag.metadata })
  console.error(`The documents go to ${url}; to remove them by hand: POST /documents/delete ${filter}`)
  let result: T
  try {
    result = await work(system)
  } catch (error) {
    // The first fault is the one to tell, also where the service cannot be cleaned up for the same reason.
    if (!keep) await clean(client, set, tag).catch((fault: Error) => console.error(fault.message))
    throw error
  }
  if (!keep) await clean(client, set, tag)
  return result
}

async function clean(client: ServiceClient, set: BeirSet, tag: Tag): Promise<void> {
  const removed = await removeSet(client, set, tag)
  console.error(`${removed} documents removed from ${client.url}.`)
}

function keyFrom(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ServiceError('INVALID_INPUT', `--api-key-file: ${(error as Error).message}`)
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ServiceError('INVALID_INPUT', `--api-key-file: ${file} must hold one key, on one line.`)
  }
  return key
}
