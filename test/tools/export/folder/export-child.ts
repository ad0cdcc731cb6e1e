/** One export in a process that a test may starve or kill: `export-child.ts OPTIONS_AS_JSON [kill-at-layer N]`. */
import { exportModel } from '../../../../src/tools/export/export-model.ts'

const [, , options, fate, layer] = process.argv
const onProgress = (step: string) => {
  if (fate === 'kill-at-layer' && step.startsWith(`layer ${layer} `)) process.kill(process.pid, 'SIGKILL')
}
try {
  await exportModel({ ...JSON.parse(options!), onProgress })
  console.log('exported')
} catch (error) {
  console.log((error as Error).message)
  process.exitCode = 1
}
