import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { dirname } from 'node:path/posix'
import { ToolError } from '../../../cli/tool-error.ts'
import { checkRoom, diskFault } from '../../disk.ts'
import { downloadFile, PARTIAL, type PullEvents, partialPath } from './download-file.ts'
import { HubClient, type RemoteFile } from './hub-client.ts'
import type { HubAddress } from './hub-fetch.ts'
import { lockFolder } from './pull-lock.ts'
import { type PullRecord, RESUMED, readRecord, writeRecord } from './pull-record.ts'
import { checkRepositoryId, checkRevision } from './repository-id.ts'
import { RETRY, type RetryPolicy, withRetries } from './retry.ts'
import { POOLING_FOLDER, selectFiles, shardsOf } from './select-files.ts'

export interface PullOptions {
  hub: HubAddress
  /** Such as BAAI/LLARA-passage. */
  repository: string
  /** Branch, tag or commit; default main. */
  revision?: string
  /** Where the files go; made if it is not there; what an earlier pull of the repository left in it is continued. */
  folder: string
  events: PullEvents
  /** Called when everything but the weights is in the folder; may throw to spare their download. */
  beforeWeights?: (folder: string, pulled: Pulled) => Promise<void>
  retry?: RetryPolicy
}

export interface Pulled {
  commit: string
  /** The hub's word, such as `mit`. */
  licence?: string
  /** A LoRA adapter: its base model is needed besides. */
  adapter: boolean
}

/**
 * Downloads a LLaMA checkpoint or a LoRA adapter: descriptions, tokenizer and safetensors, each checked against the
 * size and checksum the hub gives. The revision becomes a commit first, and all files are of that one. A pull that
 * was cut off, or killed, is continued by the next.
 *
 * @throws ToolError NOT_FOUND, ACCESS_DENIED (the repository), DOWNLOAD_FAILED (network, hub, wrong checksums),
 *   DISK_FULL, NOT_WRITABLE, LOCKED (another pull in the folder), CHECKPOINT_UNUSABLE (no safetensors),
 *   OUTPUT_EXISTS, INVALID_USAGE
 */
export async function pullRepository(options: PullOptions): Promise<Pulled> {
  const { folder } = options
  checkRepositoryId(options.repository)
  checkRevision(options.revision ?? 'main')
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw diskFault(error, { place: folder, advice: RESUMED })
  })
  const release = await lockFolder(folder)
  try {
    return await pull(options)
  } finally {
    await release()
  }
}

async function pull(options: PullOptions): Promise<Pulled> {
  const { hub, repository, revision = 'main', folder, events, retry = RETRY } = options
  const before = await checkFolder(folder, repository)
  const client = new HubClient(hub)
  const onRetry = (fault: Error) => events.note(fault.message)
  const { commit, licence } = await withRetries(retry, onRetry, () => client.resolve(repository, revision))
  const files = await withRetries(retry, onRetry, () => client.list(repository, commit, POOLING_FOLDER))
  const { adapter, first, index, weights, note } = selectFiles(repository, files)
  if (note) events.note(note)
  const pulled = { commit, adapter, ...(licence !== undefined && { licence }) }
  if (before && before.commit !== commit) {
    events.note(`${revision} was ${before.commit.slice(0, 12)} and is ${commit.slice(0, 12)} now`)
  }
  const record: PullRecord = { format: 1, repository, revision, commit, files: first, complete: false }
  // Until the others are gone, what an earlier revision left stays on record.
  await writeRecord(folder, { ...record, files: [...first, ...(before?.files ?? [])] })
  const download = {
    folder,
    retry,
    events,
    read: (file: RemoteFile, start: number) => client.read(repository, commit, file, start),
  }
  if (!index) events.plan(commit, weights ? [...first, weights] : first)
  for (const file of first) await downloadFile(file, download)
  const shards = index
    ? shardsOf(repository, await readFile(join(folder, index.path), 'utf8'), files)
    : [weights!]
  const all = [...first, ...shards]
  if (index) events.plan(commit, all)
  await writeRecord(folder, { ...record, files: all })
  await removeOthers(folder, all, before)
  await options.beforeWeights?.(folder, pulled)
  const advice = 'Make room, or choose another folder (--checkpoint FOLDER).'
  await checkRoom(folder, await bytesMissing(folder, shards), 'what is still to be downloaded', advice)
  for (const file of shards) await downloadFile(file, download)
  await writeRecord(folder, { ...record, files: all, complete: true })
  return pulled
}

/** Pulls only into folders of their own: a person's files are not written over. */
async function checkFolder(folder: string, repository: string): Promise<PullRecord | undefined> {
  const record = await readRecord(folder)
  if (record && record.repository !== repository) {
    const message = `${folder} holds ${record.repository}. Choose another folder (--checkpoint FOLDER).`
    throw new ToolError('OUTPUT_EXISTS', message)
  }
  const others = (await readdir(folder)).filter(
    (name) => !name.startsWith('.') && !/^pull\.json\.\d+\.new$/.test(name),
  )
  if (!record && others.length > 0) {
    const message = `${folder} has files of its own, which a pull could overwrite. Choose another folder (--checkpoint FOLDER).`
    throw new ToolError('OUTPUT_EXISTS', message)
  }
  return record
}

/** Takes away what an earlier revision left: its beginnings, and files that this one does not have. */
async function removeOthers(
  folder: string,
  files: readonly RemoteFile[],
  before?: PullRecord,
): Promise<void> {
  const wanted = new Set(files.flatMap((file) => [file.path, basename(partialPath(folder, file))]))
  const old = (before?.files ?? []).map(({ path }) => (isPooling(path) ? path : basename(path)))
  const partials = (await readdir(folder)).filter((name) => name.endsWith(PARTIAL))
  for (const name of [...old, ...partials]) {
    if (!wanted.has(name)) await rm(join(folder, name), { force: true })
  }
}

/** The only files that do not lie in the folder itself. */
function isPooling(path: string): boolean {
  return POOLING_FOLDER.test(dirname(path)) && basename(path) === 'config.json'
}

async function bytesMissing(folder: string, files: readonly RemoteFile[]): Promise<number> {
  let bytes = 0
  for (const file of files) {
    const whole = await stat(join(folder, file.path)).catch(() => undefined)
    const partial = await stat(partialPath(folder, file)).catch(() => undefined)
    if (whole?.size !== file.size) bytes += Math.max(0, file.size - (partial?.size ?? 0))
  }
  return bytes
}
