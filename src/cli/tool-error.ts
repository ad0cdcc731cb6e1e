/** Every way a command says no. A new code needs its exit code in exit-code.ts, or it does not compile. */
export const TOOL_ERROR_CODES = [
  /** Arguments or options that are unknown, missing, malformed or do not go together. */
  'INVALID_USAGE',
  /** A file or folder named by the user that cannot be read or does not hold what it should. */
  'INPUT_UNUSABLE',
  /** A folder to write that holds something already. */
  'OUTPUT_EXISTS',
  /** A checkpoint or adapter that is damaged, incomplete, not supported or not what it was said to be. */
  'CHECKPOINT_UNUSABLE',
  /** Stored data that is damaged. */
  'DATA_DAMAGED',
  /** A repository or revision that the hub does not have. */
  'NOT_FOUND',
  /** A repository that needs a token, or another one. */
  'ACCESS_DENIED',
  /** The hub does not answer, breaks off or sends wrong bytes. */
  'DOWNLOAD_FAILED',
  /** A running service that does not answer, or answers as no LLaRA Serve does. */
  'SERVICE_UNREACHABLE',
  /** No room on the disk. */
  'DISK_FULL',
  /** A place that this user may not write to. */
  'NOT_WRITABLE',
  /** Another process works in the folder. */
  'LOCKED',
  /** Ended by Ctrl-C or SIGTERM. */
  'STOPPED',
] as const

export type ToolErrorCode = (typeof TOOL_ERROR_CODES)[number]

/** Facts beside the message, such as the file at fault. */
type ToolErrorDetails = Record<string, string | number | boolean>

/** The error class of the commands. `message` is for the user: what is wrong, then what to do. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly code: ToolErrorCode
  readonly details: ToolErrorDetails

  constructor(code: ToolErrorCode, message: string, details: ToolErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** Arguments that a command cannot run with. @param message what is wrong, one sentence */
export function invalidUsage(message: string): ToolError {
  return new ToolError('INVALID_USAGE', `${message} See --help.`)
}
