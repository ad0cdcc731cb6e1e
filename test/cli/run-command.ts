import type { Command, Program } from '../../src/cli/command.ts'
import { runCommand, runProgram } from '../../src/cli/run.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

export interface Ran {
  status: number
  stdout: string
  stderr: string
}

/** A terminal that writes down what is printed. */
function recording(): { terminal: Terminal; printed: { stdout: string; stderr: string } } {
  const printed = { stdout: '', stderr: '' }
  const output = (name: keyof typeof printed) => ({
    write(text: string) {
      printed[name] += text
    },
  })
  return { terminal: { stdout: output('stdout'), stderr: output('stderr') }, printed }
}

/** A command in this process: what it prints, and its exit code. */
export async function ran(command: Command, args: readonly string[]): Promise<Ran> {
  const { terminal, printed } = recording()
  return { status: await runCommand(command, args, terminal), ...printed }
}

/** The whole program in this process. */
export async function ranProgram(program: Program, args: readonly string[]): Promise<Ran> {
  const { terminal, printed } = recording()
  return { status: await runProgram(program, args, terminal), ...printed }
}
