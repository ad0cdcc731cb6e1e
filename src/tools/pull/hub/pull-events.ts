import type { RemoteFile } from './hub-client.ts'

/** What a pull tells while it runs. */
export interface PullEvents {
  /** Which commit the revision is, and all files that will be there. */
  plan(commit: string, files: readonly RemoteFile[]): void
  /** Bytes of a file that are there; `checking` reads what was there before. */
  progress(file: RemoteFile, bytes: number, phase: 'checking' | 'downloading'): void
  done(file: RemoteFile, how: 'kept' | 'downloaded'): void
  /** Something a person should know: a retry, a revision that moved. */
  note(text: string): void
}
