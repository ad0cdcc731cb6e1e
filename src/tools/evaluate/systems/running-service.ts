import { say, type Terminal } from '../../../cli/terminal.ts'
import { readApiKeyFile } from '../../api-key-file.ts'
import { ServiceClient } from '../../service-client.ts'
import type { EvaluateOptions } from '../evaluate-options.ts'
import type { BeirSet } from '../judged-set/beir-set.ts'
import type { SearchSystem } from './search-system.ts'
import { serviceSystem } from './service-system.ts'
import { removeSet, type Tag, tagFor } from './stored-set.ts'

/** A running service holding nothing else; what the work stored there is removed again, unless it is to be kept. */
export async function withService<T>(
  url: string,
  set: BeirSet,
  options: EvaluateOptions,
  terminal: Terminal,
  work: (system: SearchSystem) => Promise<T>,
): Promise<T> {
  const client = new ServiceClient(url, {
    key: readApiKeyFile(options.apiKeyFile),
    keyAdvice: 'Pass a key of scope write with --api-key-file.',
  })
  const { keep, useExisting } = options
  const tag = tagFor({ plainIds: keep || useExisting })
  const system = await serviceSystem(client, tag, { useExisting })
  if (useExisting) return work(system)
  const filter = JSON.stringify({ filter: tag.metadata })
  say(terminal.stderr, `The documents go to ${url}; to remove them by hand: POST /documents/delete ${filter}`)
  let result: T
  try {
    result = await work(system)
  } catch (error) {
    // The first fault is the one that matters, also where the service cannot be cleaned up for the same reason.
    if (!keep)
      await clean(client, set, tag, terminal).catch((fault: Error) => say(terminal.stderr, fault.message))
    throw error
  }
  if (!keep) await clean(client, set, tag, terminal)
  return result
}

async function clean(client: ServiceClient, set: BeirSet, tag: Tag, terminal: Terminal): Promise<void> {
  const removed = await removeSet(client, set, tag)
  say(terminal.stderr, `${removed} documents removed from ${client.url}.`)
}
