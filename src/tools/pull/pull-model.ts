import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { byteSize } from '../../cli/byte-size.ts'
import { say, type Terminal } from '../../cli/terminal.ts'
import { invalidUsage, ToolError } from '../../cli/tool-error.ts'
import { readHubSettings } from '../../config/read.ts'
import type { Card, CardKind } from '../../model/card.ts'
import { gives } from '../export/describe-card.ts'
import { exportModel } from '../export/export-model.ts'
import {
  checkpointFolder,
  type LocalCheckpoint,
  pulledCheckpoint,
  statedBase,
  type Wanted,
} from './checkpoint.ts'
import { hubAddress, readToken } from './hub/hub-address.ts'
import type { Pulled } from './hub/pull-repository.ts'
import { checkPrompts, licenceFor, type Plan, planExport, profileFor } from './plan-export.ts'
import type { PullRequest } from './pull-options.ts'
import { TerminalProgress } from './terminal-progress.ts'

/** One run of the command. */
interface Run {
  request: PullRequest
  /** How a model is made of the checkpoint; nothing where only the download is wanted. */
  plan: Plan | undefined
  wanted: Wanted
  progress: TerminalProgress
  terminal: Terminal
}

/**
 * Downloads what is not here yet, the base model of an adapter included, and exports it.
 * @throws ToolError
 */
export async function pullModel(request: PullRequest, terminal: Terminal): Promise<void> {
  const progress = new TerminalProgress(terminal.stderr)
  try {
    await pull(request, progress, terminal)
  } finally {
    progress.end()
  }
}

async function pull(request: PullRequest, progress: TerminalProgress, terminal: Terminal): Promise<void> {
  const { model, checkpoint: folder, revision } = request
  const local = await checkpointFolder(model)
  if (local && request.downloadOnly)
    throw invalidUsage(`${model} is on this machine already: there is nothing to download.`)
  const plan = request.downloadOnly ? undefined : planExport(request, local ? local.repository : model)
  if (plan && existsSync(plan.out) && !request.overwrite) {
    const message = `${plan.out} exists already. Choose another folder (--out FOLDER), or replace it with --overwrite.`
    throw new ToolError('OUTPUT_EXISTS', message)
  }
  const run: Run = { request, plan, wanted: await wantedFrom(request, progress), progress, terminal }
  if (local && !local.adapter) await tellPrompts(run, local.folder)
  const checkpoint =
    local ??
    (await pulledCheckpoint(model, {
      ...run.wanted,
      ...(folder !== undefined && { folder }),
      ...(revision !== undefined && { revision }),
      beforeWeights: (folder, pulled) => checkBefore(run, folder, pulled),
    }))
  if (!checkpoint.adapter && request.base !== undefined) throw withoutAdapter()
  const base = checkpoint.adapter ? await baseOf(run, checkpoint) : undefined
  if (plan) return exportPulled(run, plan, checkpoint, base)
  for (const { source, folder } of base ? [checkpoint, base] : [checkpoint])
    say(terminal.stdout, `${source}: ${folder}`)
}

async function wantedFrom({ mirror, tokenFile }: PullRequest, events: TerminalProgress): Promise<Wanted> {
  const settings = readHubSettings()
  const token = tokenFile === undefined ? settings.token : await readToken(tokenFile)
  return { hub: hubAddress(mirror ?? settings.endpoint, token), events }
}

/** What can be found wrong before the weights are downloaded. */
async function checkBefore(run: Run, folder: string, pulled: Pulled): Promise<void> {
  if (run.request.base !== undefined && !pulled.adapter) throw withoutAdapter()
  if (!run.plan) return
  licenceFor(run.plan, pulled)
  if (!pulled.adapter) await tellPrompts(run, folder)
}

function withoutAdapter(): ToolError {
  return invalidUsage('--base is for adapters; this is a whole model.')
}

async function tellPrompts({ plan, terminal }: Run, folder: string): Promise<void> {
  if (!plan) return
  for (const line of await checkPrompts(folder, plan)) say(terminal.stdout, line)
}

/** The model an adapter was trained on: a folder, or pulled too. */
async function baseOf(run: Run, adapter: LocalCheckpoint): Promise<LocalCheckpoint> {
  const { request, wanted, progress } = run
  const profile = profileFor(request, adapter.repository)
  const named = request.base ?? profile?.base ?? (await statedBase(adapter.folder))
  if (named === undefined)
    throw invalidUsage('The adapter does not say which model it was trained on. Name it with --base.')
  const local = await checkpointFolder(named)
  if (local) {
    await tellPrompts(run, local.folder)
    return local
  }
  progress.note(`${adapter.source} is an adapter of ${named}`)
  return pulledCheckpoint(named, {
    ...wanted,
    ...(request.baseRevision !== undefined && { revision: request.baseRevision }),
    beforeWeights: async (folder, pulled) => {
      if (pulled.adapter) throw invalidUsage(`${named} is an adapter too. Name the whole model with --base.`)
      await tellPrompts(run, folder)
    },
  })
}

async function exportPulled(
  { request, progress, terminal }: Run,
  plan: Plan,
  checkpoint: LocalCheckpoint,
  base: LocalCheckpoint | undefined,
): Promise<void> {
  const source = base ? `${checkpoint.source}, on ${base.source}` : checkpoint.source
  const start = performance.now()
  const card = await exportModel({
    source,
    ...plan,
    checkpoint: (base ?? checkpoint).folder,
    ...(base && { adapter: checkpoint.folder }),
    licence: licenceFor(plan, checkpoint),
    onProgress: (step) => progress.step(step),
  })
  progress.end()
  tellModel(card, plan.out, performance.now() - start, terminal)
  for (const { folder, ours } of [checkpoint, ...(base ? [base] : [])]) {
    if (!ours || request.keepCheckpoint) continue
    await rm(folder, { recursive: true })
    say(terminal.stdout, `deleted ${folder} (--keep-checkpoint keeps it)`)
  }
}

function tellModel(card: Card<CardKind>, out: string, ms: number, { stdout }: Terminal): void {
  const { id, kind, precision, source, licence, fingerprint } = card
  const bytes = Object.values(card.files).reduce((sum, file) => sum + file.bytes, 0)
  const seconds = (ms / 1000).toFixed(1)
  say(stdout, `${id}: ${gives(card)}, ${precision}, ${byteSize(bytes)}, exported in ${seconds} s`)
  say(stdout, `  from ${source}`)
  say(stdout, `  licence ${licence}`)
  say(stdout, `  fingerprint ${fingerprint}`)
  const name = /^models[\\/]([^\\/]+)[\\/]?$/.exec(out)?.[1]
  const setting = kind === 'encoder' ? 'MODEL' : 'RERANKER'
  say(stdout, `start it with ${setting}=${name ?? out} npm start`)
}
