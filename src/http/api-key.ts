/** What a key may do. `write` includes `read`. */
export type Scope = 'read' | 'write'

export interface ApiKey {
  scope: Scope
  key: string
  /** What log lines call it. Default: its place. */
  name?: string
  /** In ms since 1970; from then on it is refused. */
  expiresAt?: number
}
