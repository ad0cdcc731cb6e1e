import { type ErrorCode, ServiceError } from '../errors.ts'
import { ToolError, type ToolErrorCode } from './tool-error.ts'

/** 0 done; 1 failed; 2 cannot run as asked, so that the same command would not run later either. */
export type ExitCode = 0 | 1 | 2

/** What the help of every command says. */
export const EXIT_CODES =
  'Exit codes: 0 done; 1 failed; 2 cannot run as asked (wrong usage or settings, or a model, checkpoint, ' +
  'data folder or input that cannot be used).'

const OF_TOOLS: Record<ToolErrorCode, ExitCode> = {
  INVALID_USAGE: 2,
  INPUT_UNUSABLE: 2,
  OUTPUT_EXISTS: 2,
  CHECKPOINT_UNUSABLE: 2,
  DATA_DAMAGED: 1,
  NOT_FOUND: 2,
  ACCESS_DENIED: 2,
  DOWNLOAD_FAILED: 1,
  SERVICE_UNREACHABLE: 1,
  DISK_FULL: 1,
  NOT_WRITABLE: 1,
  LOCKED: 1,
  STOPPED: 1,
}

/** Of the service's own codes, those about what it was started with; all others happen while it works. */
const OF_SETUP: readonly ErrorCode[] = ['INVALID_CONFIG', 'MODEL_UNUSABLE', 'STORE_UNUSABLE']

/** The exit code of a command that ended with this error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ToolError) return OF_TOOLS[error.code]
  return error instanceof ServiceError && OF_SETUP.includes(error.code) ? 2 : 1
}
