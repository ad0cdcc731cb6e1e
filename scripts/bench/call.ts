import { type Call, type Command, defineCommand } from '../../src/cli/command.ts'
import { exitCodeOf } from '../../src/cli/exit-code.ts'
import { commandHelp } from '../../src/cli/help.ts'
import type { Options } from '../../src/cli/option.ts'
import { asksFor, parseCommand } from '../../src/cli/parse.ts'
import { faultText } from '../../src/cli/run.ts'

type Bench<O extends Options> = Pick<Command<O>, 'name' | 'about' | 'operands' | 'options'>

/** What a benchmark was called with; help and faulty options end the process. */
export function benchCall<const O extends Options>(bench: Bench<O>): Call<O> {
  const command = defineCommand({ ...bench, npm: `npm run bench -- ${bench.name}`, run: async () => {} })
  const args = process.argv.slice(2)
  if (asksFor('help', args)) {
    console.log(commandHelp(command))
    process.exit(0)
  }
  try {
    return parseCommand(command, args)
  } catch (error) {
    console.error(faultText(error))
    process.exit(exitCodeOf(error))
  }
}
