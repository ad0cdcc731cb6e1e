import type { Program } from './cli/command.ts'
import { outliveHangUp } from './cli/hang-up.ts'
import { VERSION } from './version.ts'

/** The executable. A new command is a folder and a line here; what it imports is loaded when it is asked for. */
export const PROGRAM: Program = {
  name: 'llara-serve',
  title: 'LLaRA Serve',
  version: VERSION,
  fallback: 'serve',
  commands: {
    serve: {
      summary: 'Run the service; its settings are environment variables',
      load: async () => {
        outliveHangUp()
        return (await import('./serve.ts')).serveCommand
      },
    },
    pull: {
      summary: 'Download a checkpoint from a model hub and make a model folder of it',
      load: async () => (await import('./tools/pull/command.ts')).pullCommand,
    },
    export: {
      summary: 'Make a model folder of a checkpoint that is on this machine',
      load: async () => (await import('./tools/export/command.ts')).exportCommand,
    },
    backup: {
      summary: 'Copy the documents of a running service, or of a stopped folder, verified',
      load: async () => (await import('./tools/backup/command.ts')).backupCommand,
    },
    restore: {
      summary: 'Make a data folder of a backup',
      load: async () => (await import('./tools/restore/command.ts')).restoreCommand,
    },
    evaluate: {
      summary: 'Measure how well a model or a running service searches a judged set',
      load: async () => (await import('./tools/evaluate/command.ts')).evaluateCommand,
    },
    verify: {
      summary: 'Check all that is stored, and repair what can be repaired',
      load: async () => (await import('./tools/verify/command.ts')).verifyCommand,
    },
  },
}
