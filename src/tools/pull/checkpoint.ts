import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolError } from '../../cli/tool-error.ts'
import { readRecord } from './hub/pull-record.ts'
import { type PullOptions, pullRepository } from './hub/pull-repository.ts'
import { folderName } from './hub/repository-id.ts'

/** A checkpoint or adapter on this machine. */
export interface LocalCheckpoint {
  folder: string
  /** Its repository, where that is known. */
  repository?: string
  /** For the card: where it came from. */
  source: string
  licence?: string
  adapter: boolean
  /** Pulled into a folder of our own choice, which may be deleted. */
  ours: boolean
}

export interface Wanted extends Pick<PullOptions, 'hub' | 'events' | 'revision' | 'beforeWeights'> {
  /** Where it goes; default under checkpoints/. */
  folder?: string
}

const CHECKPOINTS = 'checkpoints'
const DESCRIPTIONS = ['config.json', 'adapter_config.json']

/** Downloads a repository. */
export async function pulledCheckpoint(repository: string, wanted: Wanted): Promise<LocalCheckpoint> {
  if (/^[./~]|^[A-Za-z]:\\/.test(repository)) {
    throw new ToolError('INVALID_USAGE', `${repository} is not a checkpoint folder: it has no config.json.`)
  }
  const { folder = join(CHECKPOINTS, folderName(repository)), ...rest } = wanted
  const pulled = await pullRepository({ ...rest, repository, folder })
  return {
    folder,
    repository,
    source: `${repository}, commit ${pulled.commit}`,
    adapter: pulled.adapter,
    ours: wanted.folder === undefined,
    ...(pulled.licence !== undefined && { licence: pulled.licence }),
  }
}

/** A checkpoint that is on this machine already; nothing where `path` is not one. */
export async function checkpointFolder(path: string): Promise<LocalCheckpoint | undefined> {
  return DESCRIPTIONS.some((name) => existsSync(join(path, name))) ? describeFolder(path) : undefined
}

async function describeFolder(folder: string): Promise<LocalCheckpoint> {
  const record = await readRecord(folder)
  const name =
    folder
      .split(/[/\\]/)
      .filter((part) => part !== '' && part !== '.')
      .at(-1) ?? folder
  if (record && !record.complete) {
    const message = `${folder} is not complete. Pull ${record.repository} again: it continues where it stopped.`
    throw new ToolError('CHECKPOINT_UNUSABLE', message)
  }
  return {
    folder,
    source: record ? `${record.repository}, commit ${record.commit}` : name,
    adapter: !existsSync(join(folder, 'config.json')),
    ours: false,
    ...(record && { repository: record.repository }),
  }
}

/** What an adapter's own configuration names as its base. */
export async function statedBase(adapter: string): Promise<string | undefined> {
  const text = await readFile(join(adapter, 'adapter_config.json'), 'utf8')
  const base = (JSON.parse(text) as { base_model_name_or_path?: unknown }).base_model_name_or_path
  return typeof base === 'string' && base !== '' ? base : undefined
}
