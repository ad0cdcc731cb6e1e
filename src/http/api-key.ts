/** What a key may do. `write` includes `read`. */
export type Scope = 'read' | 'write'

export interface ApiKey {
  scope: Scope
  key: string
}
