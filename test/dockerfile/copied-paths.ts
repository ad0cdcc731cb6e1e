import { posix } from 'node:path'
import type { BuildContext } from './build-context.ts'
import { lastStep, type Stage, type Step } from './stages.ts'

/** Commands that leave something behind in the working folder, and what. */
const PRODUCTS: [RegExp, string][] = [
  [/\bnpm ci\b/, 'node_modules'],
  [/\bnpm run build\b/, 'dist'],
  [/\bnpm run sbom -- sbom\.cdx\.json\b/, 'sbom.cdx.json'],
]

/** Faults of COPY and ADD: sources that nobody put there. */
export function copyFaults(stages: Stage[], context: BuildContext): string[] {
  return stages.flatMap((stage, index) =>
    stage.steps.flatMap((step) => {
      if (step.keyword === 'ADD') return [`line ${step.line}: ADD is not used here, COPY says what it does`]
      if (step.keyword !== 'COPY') return []
      const sources = step.words.slice(0, -1)
      const from = step.flags.get('from')
      if (from === undefined) return sources.flatMap((source) => contextFault(source, step, context))
      const origin = stages.slice(0, index).find(({ name }) => name === from)
      if (!origin) return [`line ${step.line}: --from=${from} names no earlier stage`]
      const held = pathsOf(origin, stages)
      return sources
        .filter((source) => !held.has(source))
        .map((source) => `line ${step.line}: stage ${from} has no ${source}`)
    }),
  )
}

function contextFault(source: string, step: Step, context: BuildContext): string[] {
  if (!context.exists(source)) return [`line ${step.line}: ${source} is not in the repository`]
  return context.ignores(source) ? [`line ${step.line}: .dockerignore leaves out ${source}`] : []
}

/** Absolute paths known to exist in a stage: copied, produced by a command, or inherited from its base. */
export function pathsOf(stage: Stage, stages: Stage[]): Set<string> {
  const parent = stages.find(({ name }) => name !== '' && name === stage.base)
  const paths = new Set(parent ? pathsOf(parent, stages) : [])
  if (/^node:/.test(stage.base)) paths.add('/usr/local/bin/node').add('/usr/local/include')
  let folder = parent ? (lastStep(parent, 'WORKDIR')?.words[0] ?? '/') : '/'
  for (const step of stage.steps) {
    if (step.keyword === 'WORKDIR') folder = posix.resolve(folder, step.words[0] ?? '/')
    if (step.keyword === 'COPY') for (const path of copiedTo(step, folder)) paths.add(path)
    if (step.keyword === 'RUN') {
      for (const [command, product] of PRODUCTS) {
        if (command.test(step.text)) paths.add(posix.join(folder, product))
      }
    }
  }
  return paths
}

/** A file keeps its name in a folder (`./`); one source takes the target's name otherwise. */
function copiedTo(step: Step, folder: string): string[] {
  const target = step.words.at(-1) ?? ''
  const place = posix.resolve(folder, target)
  if (!target.endsWith('/')) return [place]
  return step.words.slice(0, -1).map((source) => posix.join(place, posix.basename(source)))
}
