/** What a key may do. `write` includes `read`. */
export type Scope = 'read' | 'write'

export interface ApiKey {
  scope: Scope
  key: string
  /** Names of the collections that it is for, aliases not among them; without them it is for the whole service. */
  collections?: readonly string[]
  /** What log lines call it. Default: its place. */
  name?: string
  /** In ms since 1970; from then on it is refused. */
  expiresAt?: number
}
