import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PullEvents } from '../../../src/tools/pull/hub/download-file.ts'
import { hubAddress } from '../../../src/tools/pull/hub/hub-address.ts'
import { type PullOptions, pullRepository } from '../../../src/tools/pull/hub/pull-repository.ts'
import type { RetryPolicy } from '../../../src/tools/pull/hub/retry.ts'
import { filesOf, type HubFile, type LoopbackHub } from './loopback-hub.ts'

export const REPOSITORY = 'BAAI/LLARA-tiny'
/** The usual number of tries, without the usual waits. */
export const QUICK: RetryPolicy = { triesMax: 4, pauseMs: 1, pauseMsMax: 5, retryAfterMsMax: 2000 }

/** Writes down what a pull tells. */
export class Told implements PullEvents {
  readonly notes: string[] = []
  readonly kept: string[] = []
  readonly downloaded: string[] = []
  commit = ''

  plan(commit: string): void {
    this.commit = commit
  }
  progress(): void {}
  done({ path }: { path: string }, how: 'kept' | 'downloaded'): void {
    this[how].push(path)
  }
  note(text: string): void {
    this.notes.push(text)
  }
}

export function freshFolder(): string {
  return join(mkdtempSync(join(tmpdir(), 'llara-pull-')), 'checkpoint')
}

export interface Pull {
  folder: string
  told: Told
}

/** For `beforeCut`: until the beginning of the file that lies in the folder reaches so far. */
export function arrived(folder: string) {
  return async (name: string, at: number): Promise<void> => {
    const beginning = () =>
      readdirSync(folder).find((file) => file.startsWith(`${name}.`) && file.endsWith('.partial'))
    const size = () => (beginning() ? statSync(join(folder, beginning()!)).size : 0)
    for (let waits = 0; size() < at && waits < 2000; waits++) await new Promise((done) => setTimeout(done, 5))
  }
}

export async function pull(hub: LoopbackHub, options: Partial<PullOptions> & { token?: string } = {}) {
  const { token, ...rest } = options
  const told = new Told()
  const folder = options.folder ?? freshFolder()
  hub.beforeCut = arrived(folder)
  const pulled = await pullRepository({
    hub: hubAddress(hub.url, token, 20_000),
    repository: REPOSITORY,
    folder,
    events: told,
    retry: QUICK,
    ...rest,
  })
  return { folder, told, pulled }
}

/** Content of a pulled folder, without the record. */
export function content(folder: string): Record<string, Buffer> {
  const names = readdirSync(folder).filter((name) => name !== 'pull.json')
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name))]))
}

/** What a pull of a published folder must leave, byte for byte. */
export function expected(folder: string, without: string[] = ['golden.json']): Record<string, Buffer> {
  const files: [string, HubFile][] = Object.entries(filesOf(folder)).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    files.filter(([name]) => !without.includes(name)).map(([name, { bytes }]) => [name, bytes]),
  )
}
