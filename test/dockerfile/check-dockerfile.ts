import { validate } from 'dockerfile-utils'
import type { BuildContext } from './build-context.ts'
import { copyFaults } from './copied-paths.ts'
import { runtimeFaults } from './runtime-stage.ts'
import { parseStages, type Stage } from './stages.ts'

/** Stages that become images, in no order. The last stage of the file is what a plain build makes. */
export const RUNTIME_TARGETS = ['cpu', 'cuda']
export const DEFAULT_TARGET = 'cpu'

/**
 * Everything that is wrong with the Dockerfile, one sentence each; empty where it is sound. No container engine
 * is needed: the file is parsed, and what it copies is looked up in the context.
 */
export function checkDockerfile(dockerfile: string, context: BuildContext): string[] {
  const syntax = validate(dockerfile).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`)
  const stages = parseStages(dockerfile)
  return [
    ...syntax,
    ...targetFaults(stages),
    ...baseFaults(stages),
    ...commandFaults(stages),
    ...copyFaults(stages, context),
    ...stages
      .filter(({ name }) => RUNTIME_TARGETS.includes(name))
      .flatMap((stage) => runtimeFaults(stage, stages)),
  ]
}

function targetFaults(stages: Stage[]): string[] {
  const missing = ['build', ...RUNTIME_TARGETS].filter(
    (target) => !stages.some(({ name }) => name === target),
  )
  const faults = missing.map((target) => `there is no stage ${target}`)
  if (stages.at(-1)?.name !== DEFAULT_TARGET) faults.push(`the last stage is not ${DEFAULT_TARGET}`)
  return faults
}

/** Has the headers that native modules are compiled with. */
const HEADERS = 'headers'

/** Base images are pinned to a full version, one Node version builds and runs, and the headers fit it. */
function baseFaults(stages: Stage[]): string[] {
  const names = new Set(stages.map(({ name }) => name))
  const images = stages.filter(({ base }) => !names.has(base))
  const faults = images
    .filter(({ base }) => !/:\d+\.\d+\.\d+[^:@]*(@sha256:[0-9a-f]{64})?$/.test(base))
    .map(({ base, line }) => `line ${line}: ${base} is not pinned to a full version`)
  const versionsOf = (some: Stage[]) => [
    ...new Set(some.flatMap(({ base }) => /^node:(\d+\.\d+\.\d+)/.exec(base)?.[1] ?? [])),
  ]
  const nodes = versionsOf(images.filter(({ name }) => name !== HEADERS))
  if (nodes.length > 1) faults.push(`Node differs between stages: ${nodes.join(', ')}`)
  const majors = new Set(versionsOf(images).map((version) => version.split('.')[0]))
  if (majors.size > 1) faults.push(`native modules are compiled for another Node: ${[...majors].join(', ')}`)
  return faults
}

const FORBIDDEN: [RegExp, string][] = [
  [/\b(curl|wget)\b[^;&]*\|\s*(sudo\s+)?(\/\S+\/)?(ba|da|z)?sh\b/, 'pipes a download into a shell'],
  [/\bnpm (install|i|update)\b/, 'installs other than what the lock file says; use npm ci'],
  [/\bchmod\b.*\b0?777\b/, 'opens a path to everybody'],
  [/\bsudo\b/, 'uses sudo'],
]

function commandFaults(stages: Stage[]): string[] {
  return stages
    .flatMap(({ steps }) => steps)
    .filter(({ keyword }) => keyword === 'RUN')
    .flatMap(({ text, line }) =>
      FORBIDDEN.filter(([pattern]) => pattern.test(text)).map(([, fault]) => `line ${line}: ${fault}`),
    )
}
