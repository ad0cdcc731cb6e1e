#!/usr/bin/env node
import { runProgram } from './cli/run.ts'
import { PROGRAM } from './commands.ts'

process.exitCode = await runProgram(PROGRAM, process.argv.slice(2), process)
