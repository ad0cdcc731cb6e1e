import { posix } from 'node:path'
import { SETTINGS, variableName } from '../../src/config/settings.ts'
import { pathsOf } from './copied-paths.ts'
import { environment, healthcheckCommand, lastStep, type Stage } from './stages.ts'

const PORT = '8080'
const DATA = '/data'
const ENTRY = 'dist/main.js'
/** What the service reads from its own folder at run time. */
const NEEDED = ['node_modules', 'models', 'openapi.yaml', 'package.json', 'LICENSE', posix.dirname(ENTRY)]
/** Variables of Node, SQLite, ONNX Runtime and the CUDA driver that the images may set beside the service's own. */
const FOREIGN = ['NODE_ENV', 'SQLITE_TMPDIR', 'ORT_DISABLE_TELEMETRY', 'CUDA_CACHE_DISABLE']

/** Faults of an image that people run. */
export function runtimeFaults(stage: Stage, stages: Stage[]): string[] {
  const faults: string[] = []
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(`stage ${stage.name}: ${fault}`)
  }
  const wordsOf = (keyword: string) => lastStep(stage, keyword)?.words ?? []
  const folder = wordsOf('WORKDIR')[0] ?? '/'

  const user = /^([1-9]\d*):([1-9]\d*)$/.exec(wordsOf('USER')[0] ?? '')
  check(user !== null, 'the last USER is not a fixed number other than 0, as uid:gid')
  check(wordsOf('EXPOSE').includes(PORT), `port ${PORT} is not exposed`)
  check(
    wordsOf('VOLUME').includes(DATA) || (lastStep(stage, 'VOLUME')?.json ?? []).includes(DATA),
    `${DATA} is no volume`,
  )
  check(wordsOf('STOPSIGNAL')[0] === 'SIGTERM', 'STOPSIGNAL is not SIGTERM')
  check(
    /\/(livez|readyz)'/.test(healthcheckCommand(stage)?.[2] ?? ''),
    'no HEALTHCHECK asks /livez or /readyz',
  )
  check(ownsData(stage, user?.[1], user?.[2]), `${DATA} is not made for that user before VOLUME`)

  const entry = lastStep(stage, 'ENTRYPOINT')?.json
  check(entry?.join(' ') === `node ${ENTRY}`, `ENTRYPOINT is not ["node", "${ENTRY}"]`)
  const paths = pathsOf(stage, stages)
  for (const path of NEEDED) check(paths.has(posix.join(folder, path)), `${folder} lacks ${path}`)
  check(paths.has('/usr/local/bin/node'), 'there is no node')

  const variables = environment(stage)
  check(variables.get('DATA_DIR') === DATA, `DATA_DIR is not ${DATA}`)
  check(variables.get('PORT') === PORT, `PORT is not ${PORT}`)
  check(variables.get('SQLITE_TMPDIR') === DATA, `SQLite's temporary files are not in ${DATA}`)
  check(variables.get('ORT_DISABLE_TELEMETRY') === '1', 'ONNX Runtime may report to its maker')
  check(!variables.has('API_KEYS') && !variables.has('ALLOW_INSECURE'), 'a key or an open door is built in')
  const known = new Set([...Object.keys(SETTINGS).map(variableName), ...FOREIGN])
  for (const name of variables.keys()) check(known.has(name), `${name} is no setting of the service`)
  return faults
}

/** The folder is made with the user's ids before VOLUME, so that a fresh volume inherits them. */
function ownsData(stage: Stage, uid: string | undefined, gid: string | undefined): boolean {
  const volume = stage.steps.findIndex(({ keyword }) => keyword === 'VOLUME')
  return stage.steps.slice(0, Math.max(volume, 0)).some(({ keyword, words }) => {
    const made = words.includes('install') && words.includes(DATA)
    return keyword === 'RUN' && made && words.includes(`--owner=${uid}`) && words.includes(`--group=${gid}`)
  })
}
