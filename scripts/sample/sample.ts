import { runCommand } from '../../src/cli/run.ts'
import { sampleCommand } from './command.ts'

/** `npm run sample`: shows what the service does, on documents that come with it. */
process.exitCode = await runCommand(sampleCommand, process.argv.slice(2), process)
