/** Downloads a checkpoint from a model hub and makes a model folder of it: `npm run model:pull -- --help`. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { readHubSettings } from '../../config/read.ts'
import { ServiceError } from '../../errors.ts'
import type { Card } from '../../model/card.ts'
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
import { HELP, invalid, type PullCommand, readCommand } from './options.ts'
import { checkPrompts, licenceFor, type Plan, planExport, profileFor } from './plan.ts'
import { size, TerminalProgress } from './terminal-progress.ts'

const progress = new TerminalProgress()

async function main(): Promise<void> {
  const command = readCommand()
  if (!command) {
    console.log(HELP)
    return
  }
  const local = await checkpointFolder(command.model)
  if (local && command.downloadOnly)
    throw invalid(`${command.model} is here already; nothing is to be downloaded.`)
  const repository = local ? local.repository : command.model
  const plan = command.downloadOnly ? undefined : planExport(command, repository)
  if (plan && existsSync(plan.out) && !command.overwrite) {
    throw invalid(`${plan.out} exists already; choose another folder (--out) or --overwrite it.`)
  }
  const wanted = await wantedFrom(command)
  if (local && plan && !local.adapter) await tellPrompts(local.folder, plan)
  const checkpoint =
    local ??
    (await pulledCheckpoint(command.model, {
      ...wanted,
      ...(command.checkpoint !== undefined && { folder: command.checkpoint }),
      ...(command.revision !== undefined && { revision: command.revision }),
      beforeWeights: (folder, pulled) => checkBefore(folder, pulled, { plan, base: command.base }),
    }))
  const base = checkpoint.adapter ? await baseOf(checkpoint, command, wanted, plan) : undefined
  if (!checkpoint.adapter && command.base !== undefined) throw withoutAdapter()
  if (plan) await exportPulled(plan, checkpoint, base, command)
  else
    for (const { source, folder } of base ? [checkpoint, base] : [checkpoint])
      console.log(`${source}: ${folder}`)
}

async function wantedFrom({ mirror, tokenFile }: PullCommand): Promise<Wanted> {
  const settings = readHubSettings()
  const token = tokenFile === undefined ? settings.token : await readToken(tokenFile)
  return { hub: hubAddress(mirror ?? settings.endpoint, token), events: progress }
}

/** What can be found wrong before the weights are downloaded. */
async function checkBefore(
  folder: string,
  pulled: Pulled,
  { plan, base }: { plan: Plan | undefined; base: string | undefined },
): Promise<void> {
  if (base !== undefined && !pulled.adapter) throw withoutAdapter()
  if (!plan) return
  licenceFor(plan, pulled)
  if (!pulled.adapter) await tellPrompts(folder, plan)
}

function withoutAdapter(): ServiceError {
  return invalid('--base is for adapters; this is a whole model.')
}

async function tellPrompts(folder: string, plan: Plan): Promise<void> {
  for (const line of await checkPrompts(folder, plan)) console.log(line)
}

/** The model an adapter was trained on: a folder, or pulled too. */
async function baseOf(
  adapter: LocalCheckpoint,
  command: PullCommand,
  wanted: Wanted,
  plan: Plan | undefined,
): Promise<LocalCheckpoint> {
  const profile = profileFor(command, adapter.repository)
  const named = command.base ?? profile?.base ?? (await statedBase(adapter.folder))
  if (named === undefined)
    throw invalid('The adapter does not say which model it was trained on: --base is missing.')
  const local = await checkpointFolder(named)
  if (local && plan) await tellPrompts(local.folder, plan)
  if (local) return local
  progress.note(`${adapter.source} is an adapter of ${named}`)
  return pulledCheckpoint(named, {
    ...wanted,
    ...(command.baseRevision !== undefined && { revision: command.baseRevision }),
    beforeWeights: async (folder, { adapter }) => {
      if (adapter) throw invalid(`${named} is an adapter too; name the whole model with --base.`)
      if (plan) await tellPrompts(folder, plan)
    },
  })
}

async function exportPulled(
  { profile: _, ...plan }: ReturnType<typeof planExport>,
  checkpoint: LocalCheckpoint,
  base: LocalCheckpoint | undefined,
  command: PullCommand,
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
  tell(card, plan.out, performance.now() - start)
  for (const { folder, ours } of [checkpoint, ...(base ? [base] : [])]) {
    if (!ours || command.keepCheckpoint) continue
    await rm(folder, { recursive: true })
    console.log(`deleted ${folder} (--keep-checkpoint keeps it)`)
  }
}

function tell(card: Card, out: string, ms: number): void {
  const bytes = Object.values(card.files).reduce((sum, file) => sum + file.bytes, 0)
  const seconds = (ms / 1000).toFixed(1)
  console.log(
    `${card.id}: ${card.dimensions} dimensions, ${card.precision}, ${size(bytes)}, exported in ${seconds} s`,
  )
  console.log(`  from ${card.source}`)
  console.log(`  licence ${card.licence}`)
  console.log(`  fingerprint ${card.fingerprint}`)
  const name = /^models[\\/]([^\\/]+)[\\/]?$/.exec(out)?.[1]
  console.log(`start it with MODEL=${name ?? out} npm start`)
}

main().catch((error: unknown) => {
  progress.end()
  const told =
    error instanceof ServiceError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  console.error(told ? `Not pulled. ${(error as Error).message}` : error)
  process.exitCode = 1
})
